import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stackEnvironment } from '../../deploy/native/environment.ts';
import { dataFolders } from '../../tools/operate/doctor/folders.ts';
import { checkRoom } from '../../tools/operate/doctor/machine.ts';
import { emulsion } from './cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'emulsion-disk-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const home = path.join(folder, 'home');
const moved = path.join(folder, 'bigger');
for (const name of ['kafka/data', 'postgres', 'redis', 's3/objects'])
  mkdirSync(path.join(home, name), { recursive: true });
mkdirSync(moved);
symlinkSync(moved, path.join(home, 'postgres/data'));

describe('a disk that fills up', () => {
  it('is looked at under the data itself, also while its server is gone, and where it was moved to', async () => {
    const folders = await dataFolders({ EMULSION_HOME: home }, null);
    expect([...folders.keys()]).toEqual(['kafka', 'postgres', 'redis', 's3']);
    expect(folders.get('postgres')).toBe(path.join(home, 'postgres/data'));
    const env = { EMULSION_HOME: home, EMULSION_PORT: '9331' };
    expect(stackEnvironment({ env }).EMULSION_POSTGRES_DATA).toBe(path.join(home, 'postgres/data'));
  });

  it('is one of the home that the command is run for', async () => {
    const nobody = {
      EMULSION_HOME: home,
      KAFKA_BROKERS: '127.0.0.1:1',
      DATABASE_URL: 'postgresql://a:b@127.0.0.1:1/c',
    };
    const { out } = await emulsion(nobody, 'doctor');
    expect(out).toMatch(/disk +kafka, postgres, redis, s3: \d+ % free/);
  });

  it('says what is left in the unit that tells', () => {
    expect(checkRoom(20 * 2 ** 20, 2 ** 30).what).toBe('1 % free (20 MB)');
    expect(checkRoom(3 * 2 ** 30, 4 * 2 ** 30).what).toBe('75 % free (3 GB)');
  });
});
