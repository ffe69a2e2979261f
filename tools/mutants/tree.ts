import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A copy of the sources that may be broken at will; nobody works in it but its own tests. */
export interface Tree {
  root: string;
  /** Puts another text in the place of a file; gives what puts the first one back. */
  plant(file: string, text: string): () => void;
  remove(): void;
}

export function copyTree(repo: string): Tree {
  const root = mkdtempSync(path.join(tmpdir(), 'emulsion-mutants-'));
  const left = (name: string): boolean =>
    ['node_modules', '.git'].includes(name) || name.startsWith('.emulsion');
  cpSync(repo, root, { recursive: true, filter: (source) => !left(path.relative(repo, source)) });
  symlinkSync(path.join(repo, 'node_modules'), path.join(root, 'node_modules'));
  return {
    root,
    plant(file, text) {
      const target = path.join(root, file);
      const before = readFileSync(target);
      writeFileSync(target, text);
      return () => writeFileSync(target, before);
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
