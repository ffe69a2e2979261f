import { type Config, readConfig } from '../../../platform/process/config.ts';
import { within } from '../within.ts';
import { checkBroker } from './broker.ts';
import { checkClocks } from './clock.ts';
import { checkEnvironment, checkMasterKey } from './config.ts';
import { type Finding, type Found, messageOf, wrong } from './finding.ts';
import { dataFolders } from './folders.ts';
import { checkDisks, checkVersions } from './machine.ts';
import { openPatient, type Patient } from './patient.ts';
import { checkPostgres } from './postgres.ts';
import { checkProjections } from './projections.ts';
import { checkRedis } from './redis.ts';
import { checkRegistry } from './registry.ts';
import { checkServices, type Target } from './services.ts';
import { checkStorage } from './storage.ts';

/** Milliseconds for each area; all are examined at once. */
const areaLimitMs = 12_000;

type Env = Record<string, string | undefined>;

/**
 * Examines a stack from an environment, the worst first. Never throws and never hangs: what can't be told in time is
 * a finding too, whatever is down.
 */
export async function examine(env: Env, services: readonly Target[]): Promise<Finding[]> {
  const config = configOf(env);
  const patient = config && openPatient(env, config);
  const areas = { ...areasOf(env, services, patient), ...(patient ? serversOf(patient) : {}) };
  const found = await Promise.all(Object.entries(areas).map(([area, check]) => findingsOf(area, check)));
  await patient?.close();
  return found.flat().sort((a, b) => gravity.indexOf(a.level) - gravity.indexOf(b.level));
}

const gravity: readonly Finding['level'][] = ['wrong', 'warn', 'ok'];

type Checks = Record<string, () => Promise<Found[]>>;

function serversOf(patient: Patient): Checks {
  return {
    broker: () => checkBroker(patient),
    registry: () => checkRegistry(patient),
    postgres: () => checkPostgres(patient),
    redis: () => checkRedis(patient),
    'object store': () => checkStorage(patient),
    clock: () => checkClocks(patient),
    projections: () => checkProjections(patient),
  };
}

/** What can be told even when the configuration can't be read. */
function areasOf(env: Env, services: readonly Target[], patient: Patient | null): Checks {
  const masterKeyFile = env.EMULSION_MASTER_KEY_FILE ?? '';
  return {
    config: async () => [checkEnvironment(env), ...(await checkMasterKey(masterKeyFile, patient))],
    versions: () => checkVersions(env),
    disk: async () => checkDisks(await dataFolders(env, patient)),
    services: () => checkServices(services),
  };
}

function configOf(env: Env): Config | null {
  try {
    return readConfig(env);
  } catch {
    return null;
  }
}

async function findingsOf(area: string, check: () => Promise<Found[]>): Promise<Finding[]> {
  const found = await within(areaLimitMs, check()).catch((error) => [
    wrong(`could not be examined: ${messageOf(error)}`, 'Remove that cause first, then ask again.'),
  ]);
  return found.map((one) => ({ area, ...one }));
}
