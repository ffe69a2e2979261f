/** `npm run release-schemas`: writes every changed schema as its next released version, unless it is incompatible. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { migrationFindings, migrationHashes, migrationSums } from './migrations.ts';
import { releaseFindings } from './released.ts';
import { readEvents, releasedVersions, subjectOf } from './schema-files.ts';

export function releaseSchemas(root: string): { findings: string[]; written: string[] } {
  const findings = [...releaseFindings(root), ...migrationFindings(root)];
  if (findings.length > 0) return { findings, written: [] };
  return { findings, written: [...writeSchemas(root), ...writeMigrations(root)] };
}

function writeSchemas(root: string): string[] {
  const written: string[] = [];
  for (const { record } of readEvents(root)) {
    const folder = path.join('schemas/released', subjectOf(record));
    const versions = releasedVersions(root, subjectOf(record));
    const newest = versions.at(-1);
    if (newest && JSON.stringify(newest.record) === JSON.stringify(record)) continue;
    const file = path.join(folder, `v${versions.length + 1}.avsc`);
    mkdirSync(path.join(root, folder), { recursive: true });
    writeFileSync(path.join(root, file), `${JSON.stringify(record, null, 2)}\n`);
    written.push(file);
  }
  return written;
}

function writeMigrations(root: string): string[] {
  const text = [...migrationHashes(root)].map(([file, sum]) => `${sum}  ${file}\n`).join('');
  mkdirSync(path.join(root, 'schemas/released'), { recursive: true });
  writeFileSync(path.join(root, migrationSums), text);
  return [migrationSums];
}

if (process.argv[1] === import.meta.filename) {
  const { findings, written } = releaseSchemas(path.resolve(import.meta.dirname, '../..'));
  for (const finding of findings) console.error(finding);
  for (const file of written) console.log(`wrote ${file}`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}
