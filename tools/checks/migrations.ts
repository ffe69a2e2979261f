import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Holds `<sha256>  <path>` of every released migration. */
export const migrationSums = 'schemas/released/migrations.sha256';

/** Path → SHA-256 of every migration there is now. */
export function migrationHashes(root: string): Map<string, string> {
  const files = globSync('schemas/migrations/*/*.sql', { cwd: root }).sort();
  return new Map(
    files.map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(path.join(root, file)))
        .digest('hex'),
    ]),
  );
}

function releasedMigrations(root: string): Map<string, string> {
  const target = path.join(root, migrationSums);
  if (!existsSync(target)) return new Map();
  const lines = readFileSync(target, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

/** Numbers run from 1 without holes in each folder; a released file is never edited, for it has run somewhere. */
export function migrationFindings(root: string): string[] {
  const now = migrationHashes(root);
  const findings: string[] = [];
  const next = new Map<string, number>();
  for (const file of now.keys()) {
    const folder = path.dirname(file);
    const expected = (next.get(folder) ?? 0) + 1;
    const number = Number(/^(\d{3})_/.exec(path.basename(file))?.[1]);
    if (number !== expected)
      findings.push(`${file} should be number ${String(expected).padStart(3, '0')} of its folder.`);
    next.set(folder, expected);
  }
  for (const [file, sum] of releasedMigrations(root)) {
    if (!now.has(file)) findings.push(`${file} was released and is gone; it has run somewhere.`);
    else if (now.get(file) !== sum)
      findings.push(`${file} was released and has changed; write a new migration instead.`);
  }
  return findings;
}
