import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What another text of a file is made of. */
export interface Edits {
  /** What it is for, in a few words with hyphens. */
  name: string;
  file: string;
  /** Text that is in the file exactly once, and what stands there instead. */
  find: string;
  replace: string;
  /** Further edits of the same file that belong to it. */
  also?: readonly { find: string; replace: string }[];
}

/** One deliberate bug. */
export interface Mutant extends Edits {
  /** Why it is a bug: which rule of DESIGN §2 (or which promise) it breaks. */
  why: string;
  /** The test files that are to notice, the quickest first. */
  tests: readonly string[];
}

/** The text of the file with the edits in it. Throws when an edit does not fit the file as it is now. */
export function mutated(root: string, { name, file, also = [], ...first }: Edits): string {
  const edits = [first, ...also];
  return edits.reduce(
    (text, { find, replace }) => {
      const times = text.split(find).length - 1;
      if (times !== 1)
        throw new Error(
          `${name} does not apply: its text is ${times} times in ${file}, and must be there once:\n${find}`,
        );
      return text.replace(find, () => replace);
    },
    readFileSync(path.join(root, file), 'utf8'),
  );
}
