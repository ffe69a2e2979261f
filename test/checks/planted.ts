import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cruisedFolders } from '../../tools/checks/import-rules.ts';

export const projectRoot = path.resolve(import.meta.dirname, '../..');

/** A copy of the project's sources with the given files on top: what a careless change would look like. */
export function plantedCopy(files: Record<string, string>): { root: string; remove(): void } {
  const root = mkdtempSync(path.join(tmpdir(), 'emulsion-planted-'));
  for (const name of [...cruisedFolders, 'package.json', 'tsconfig.json']) {
    const source = path.join(projectRoot, name);
    if (existsSync(source)) cpSync(source, path.join(root, name), { recursive: true });
  }
  symlinkSync(path.join(projectRoot, 'node_modules'), path.join(root, 'node_modules'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}
