import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolders, resolvePaths } from '../../deploy/native/paths.ts';
import { notePrepared, requireData } from '../../deploy/native/prepared.ts';
import { silent } from '../../deploy/native/progress.ts';
import { reset } from '../../deploy/native/take-down.ts';
import { temporaryFolder } from './temporary.ts';

const made = { Postgres: 'postgres/data/PG_VERSION', Kafka: 'kafka/data/meta.properties' };

function homeWithData() {
  const env = { EMULSION_HOME: temporaryFolder(), EMULSION_ENGINE: 'native' };
  const paths = resolvePaths(env);
  makeFolders(paths);
  for (const file of Object.values(made)) {
    mkdirSync(dirname(join(paths.home, file)), { recursive: true });
    writeFileSync(join(paths.home, file), '');
  }
  return { env, paths };
}

test('a start that was interrupted before all was there is simply made again', () => {
  const { paths } = homeWithData();
  rmSync(join(paths.home, 'postgres'), { recursive: true });
  expect(() => requireData(paths, false)).not.toThrow();
});

test.each(Object.entries(made))(
  'an empty %s is not put beside what is left of a whole stack',
  (part, file) => {
    const { paths } = homeWithData();
    notePrepared(paths);
    expect(() => requireData(paths, false)).not.toThrow();
    rmSync(join(paths.home, file));
    expect(() => requireData(paths, false)).toThrow(`The data of ${part} are gone`);
  },
);

test('the servers alone start with an empty Postgres, for a backup to be put into it, never with an empty log', () => {
  const { paths } = homeWithData();
  notePrepared(paths);
  rmSync(join(paths.home, made.Postgres));
  expect(() => requireData(paths, true)).not.toThrow();
  rmSync(join(paths.home, made.Kafka));
  expect(() => requireData(paths, true)).toThrow('The data of Kafka are gone');
});

test('after a reset everything may be made anew', async () => {
  const { env, paths } = homeWithData();
  notePrepared(paths);
  await reset({ env, progress: silent });
  expect(() => requireData(paths, false)).not.toThrow();
});
