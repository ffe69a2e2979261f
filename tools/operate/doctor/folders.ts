import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { resolvePaths } from '../../../deploy/native/paths.ts';
import { resourceTypes } from '../broker.ts';
import type { Patient } from './patient.ts';

/** Within the home; the data itself, since a folder of it may lie on another disk. */
const homeFolders = { kafka: 'kafka/data', postgres: 'postgres/data', redis: 'redis', s3: 's3/objects' };

/** Where data lies on this machine: of the stack of this home, and of servers that say so and run here. */
export async function dataFolders(
  env: Record<string, string | undefined>,
  patient: Patient | null,
): Promise<Map<string, string>> {
  const { home } = resolvePaths(env);
  const folders = new Map(Object.entries(homeFolders).map(([name, folder]) => [name, join(home, folder)]));
  if (patient) {
    const [postgres, kafka] = await Promise.all([postgresFolder(patient), kafkaFolder(patient)]);
    if (postgres) folders.set('postgres', postgres);
    if (kafka) folders.set('kafka', kafka);
  }
  for (const [name, folder] of folders) if (!existsSync(folder)) folders.delete(name);
  return folders;
}

async function postgresFolder({ pool, config, postgresAnswers }: Patient): Promise<string | null> {
  if (!isHere(new URL(config.databaseUrl).hostname) || !(await postgresAnswers)) return null;
  const { rows } = await pool
    .query("SELECT current_setting('data_directory', true) AS folder")
    .catch(() => ({ rows: [] }));
  return rows[0]?.folder ?? null;
}

async function kafkaFolder({ kafka, config }: Patient): Promise<string | null> {
  if (!isHere(config.kafkaBrokers[0]!.replace(/:\d+$/, ''))) return null;
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        { type: resourceTypes.broker, name: String(brokers[0]!.nodeId), configNames: ['log.dirs'] },
      ],
    });
    return resources[0]?.configEntries[0]?.configValue?.split(',')[0] ?? null;
  } catch {
    return null;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

/** A server elsewhere may name a folder that is here too, and mean its own. */
function isHere(host: string): boolean {
  if (host === 'localhost' || host.startsWith('127.') || host === '[::1]') return true;
  return Object.values(networkInterfaces()).some((some) => some?.some(({ address }) => address === host));
}
