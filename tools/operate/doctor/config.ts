import { statSync } from 'node:fs';
import { readConfig } from '../../../platform/process/config.ts';
import { type MasterKey, openMasterKey } from '../../../platform/vault/master-key.ts';
import { type Found, messageOf, ok, warn, wrong } from './finding.ts';
import type { Patient } from './patient.ts';

/** The environment as services read it at their start. */
export function checkEnvironment(env: Record<string, string | undefined>): Found {
  try {
    readConfig(env);
    return ok('every key that is needed is set');
  } catch (error) {
    return wrong(messageOf(error), 'Services do not start with this environment.');
  }
}

const groupBits = 0o070;
const strangerBits = 0o007;

/** The one secret that everything personal hangs on: there, whole, for its owner's eyes alone, and that of this vault. */
export async function checkMasterKey(file: string, patient: Patient | null): Promise<Found[]> {
  let master: MasterKey;
  try {
    master = openMasterKey(file);
  } catch (error) {
    return [
      wrong(
        `the master key can't be read: ${messageOf(error)}`,
        'Put back the file that EMULSION_MASTER_KEY_FILE names; another key opens nothing of what there is.',
      ),
    ];
  }
  return [checkMode(file), ...(patient ? await checkOpens(master, patient) : [])];
}

function checkMode(file: string): Found {
  const { mode } = statSync(file);
  const text = `the master key has mode ${(mode & 0o777).toString(8)}`;
  const remedy = `Let its owner alone read it: chmod 600 ${file}`;
  if (mode & strangerBits) return wrong(`${text}: everybody on this machine can read it`, remedy);
  return mode & groupBits ? warn(text, remedy) : ok(text);
}

async function checkOpens(master: MasterKey, { pool, postgresAnswers }: Patient): Promise<Found[]> {
  if (!(await postgresAnswers)) return [];
  const { rows } = await pool.query('SELECT owner, wrapped FROM vault.data_key LIMIT 1');
  if (!rows[0]) return [];
  try {
    master.open(rows[0].wrapped, `data-key ${rows[0].owner}`);
    return [ok('the master key opens the vault')];
  } catch {
    return [
      wrong(
        'the master key does not open the data keys of this vault',
        'Put back the master key that this database was made with; nothing personal can be read by this one.',
      ),
    ];
  }
}
