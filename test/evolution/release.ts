import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { copyTree } from '../../tools/mutants/tree.ts';
import { type Edits, mutated } from '../mutation/mutant.ts';

/** The next release: a released event has one field more, and a model shows it. */
export interface Release {
  /** The folder of its sources. */
  sources: string;
  /** What its deploy does before its processes start: migrations and schemas, as `emulsion up` does it. */
  prepare(env: Record<string, string>): void;
  /** What `emulsion verify` of that release prints as JSON. */
  verify(env: Record<string, string>): { equal: boolean };
  remove(): void;
}

const name = 'next-release';

/** Nothing of it is personal, and old records have none: it is null for them. */
const edits: readonly Edits[] = [
  {
    ...{ name, file: 'schemas/content/post.avsc' },
    find: '{ "name": "commentsOff", "type": "boolean", "default": false }',
    replace: `{ "name": "commentsOff", "type": "boolean", "default": false },
      { "name": "language", "type": ["null", "string"], "default": null, "personal": false }`,
  },
  {
    ...{ name, file: 'command-api/content/post.decide.ts' },
    find: '    ...command,\n  };',
    replace: "    ...command,\n    language: 'und',\n  };",
  },
  {
    ...{ name, file: 'schemas/content/post.sql' },
    find: '  comments_off boolean,\n',
    replace: '  comments_off boolean,\n  language     text,\n',
  },
  {
    ...{ name, file: 'projectors/content/post.model.ts', find: '  version: 2,', replace: '  version: 3,' },
    also: [
      {
        find: '              comments_off: event.commentsOff,\n',
        replace: '              comments_off: event.commentsOff,\n              language: event.language,\n',
      },
    ],
  },
  {
    ...{ name, file: 'tools/verify/facts/posts.ts', find: '  definition: 2,', replace: '  definition: 3,' },
    also: [
      {
        find: "        comments_off: 'plain',\n",
        replace: "        comments_off: 'plain',\n        language: 'plain',\n",
      },
      {
        find: '      comments_off: String(event.commentsOff),\n',
        replace: '      comments_off: String(event.commentsOff),\n      language: event.language,\n',
      },
    ],
  },
];

export function makeNextRelease(): Release {
  const tree = copyTree(path.resolve(import.meta.dirname, '../..'));
  const run = (env: Record<string, string>, ...args: string[]): string =>
    execFileSync(process.execPath, args, {
      cwd: tree.root,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
  for (const edit of edits) tree.plant(edit.file, mutated(tree.root, edit));
  run({}, 'tools/generate/main.ts');
  return {
    sources: tree.root,
    prepare: (env) =>
      void run(
        env,
        '--input-type=module',
        '--eval',
        `const { prepare } = await import('./tools/stack/prepare.ts');
         await prepare(process.env, () => {});
         process.exit();`,
      ),
    verify: (env) => JSON.parse(run(env, 'tools/cli/main.ts', 'verify', '--json')),
    remove: tree.remove,
  };
}
