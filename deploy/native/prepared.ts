import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure } from './failure.ts';
import type { Paths } from './paths.ts';

/** The data folders that belong together, by what each has once it was made. */
const data = [
  { part: 'Postgres', made: 'postgres/data/PG_VERSION', page: 'lost-postgres.md' },
  { part: 'Kafka', made: 'kafka/data/meta.properties', page: 'lost-kafka.md' },
] as const;

/** Notes that this home had a whole stack: from now on the log and the vault in it name each other. */
export function notePrepared(paths: Paths): void {
  writeFileSync(join(paths.home, 'prepared'), '');
}

/**
 * Refuses to start where one of them is gone: it would be made anew and empty, and services write into that. The
 * servers alone may start with an empty Postgres, for the backup that is put into it.
 */
export function requireData(paths: Paths, partsOnly: boolean): void {
  if (!existsSync(join(paths.home, 'prepared'))) return;
  const needed = data.filter(({ part }) => part === 'Kafka' || !partsOnly);
  const lost = needed.find(({ made }) => !existsSync(join(paths.home, made)));
  if (!lost) return;
  throw failure(
    `The data of ${lost.part} are gone from ${paths.home}, and an empty one does not go with what is left.`,
    `deploy/runbooks/${lost.page} says what to do. If all may go: npx emulsion reset`,
  );
}
