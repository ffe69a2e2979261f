import type { Admin, ITopicMetadata } from 'kafkajs';
import { topicName } from '../../../platform/log/topics.ts';
import { topics } from '../../../schemas/topics.ts';
import { resourceTypes } from '../broker.ts';
import { probeTopic } from './append.ts';
import { type Found, messageOf, ok, warn, wrong } from './finding.ts';
import { metadataVersion } from './kafka-version.ts';
import type { Patient } from './patient.ts';

/** The level of metadata.version that Kafka 4.0 brought. */
const kafka4 = 22;

/** Whether the log is there, takes writes, keeps everything for ever and has the partitions of the contract. */
export async function checkBroker(patient: Patient): Promise<Found[]> {
  const { kafka, config } = patient;
  const admin = kafka.admin();
  try {
    await admin.connect();
  } catch (error) {
    return [
      wrong(
        `${config.kafkaBrokers.join(', ')} does not answer: ${messageOf(error)}`,
        'Start it (npx emulsion up, emulsion status says where it logs), or correct KAFKA_BROKERS.',
      ),
    ];
  }
  try {
    const { brokers } = await admin.describeCluster();
    const [version, writes, contract] = await Promise.all([
      checkVersion(config.kafkaBrokers[0]!, brokers.length),
      checkWrites(patient),
      checkContract(admin, patient, brokers.length),
    ]);
    return [version, writes, ...contract];
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

async function checkVersion(address: string, brokers: number): Promise<Found> {
  const level = await metadataVersion(address);
  const cluster = `${brokers} broker${brokers === 1 ? '' : 's'}`;
  if (level === null) return warn(`${cluster}, of a version that is not told`, 'Run Kafka 4 or newer.');
  if (level >= kafka4) return ok(`${cluster}, metadata.version level ${level}`);
  return warn(
    `${cluster} at metadata.version level ${level}, older than Kafka 4`,
    'Upgrade: emulsion is tested with Kafka 4.3.',
  );
}

async function checkWrites({ append }: Patient): Promise<Found> {
  try {
    const { sentAt, answeredAt } = await append;
    return ok(`takes a write in ${answeredAt - sentAt} ms`);
  } catch (error) {
    return wrong(
      `takes no write: ${messageOf(error)}`,
      'Look at the broker: enough replicas in sync, room on its disk.',
    );
  }
}

async function checkContract(admin: Admin, { config }: Patient, brokers: number): Promise<Found[]> {
  const existing = await admin.listTopics();
  const names = topics.map((topic) => topicName(config.prefix, topic));
  const missing = names.filter((name) => !existing.includes(name));
  const there = names.filter((name) => existing.includes(name));
  const found: Found[] = [];
  if (missing.length > 0)
    found.push(wrong(`topics are missing: ${missing.join(', ')}`, 'Make them: npx emulsion up.'));
  if (there.length > 0) {
    const metadata = (await admin.fetchTopicMetadata({ topics: there })).topics;
    found.push(...checkPartitions(metadata, config.partitions));
    found.push(...checkReplicas(metadata, await configsOf(admin, there), brokers));
  }
  found.push(...checkStrangers(existing, config.prefix));
  return found;
}

function checkPartitions(metadata: readonly ITopicMetadata[], partitions: number): Found[] {
  const other = metadata.filter((topic) => topic.partitions.length !== partitions);
  const leaderless = metadata.filter((topic) => topic.partitions.some((p) => p.leader < 0));
  const found: Found[] = [];
  if (other.length > 0)
    found.push(
      wrong(
        `${other.map(({ name, partitions: own }) => `${name} has ${own.length} partitions`).join(', ')}; the contract says ${partitions}`,
        'Set EMULSION_PARTITIONS to what the log was made with; more partitions are a new generation of the topic.',
      ),
    );
  if (leaderless.length > 0)
    found.push(
      wrong(
        `no broker leads some partitions of ${leaderless.map(({ name }) => name).join(', ')}`,
        'Start the brokers that hold them.',
      ),
    );
  if (found.length === 0) found.push(ok(`${metadata.length} topics with ${partitions} partitions each`));
  return found;
}

type Configs = ReadonlyMap<string, ReadonlyMap<string, string>>;

const kept: Record<string, string> = {
  'message.timestamp.type': 'LogAppendTime',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'cleanup.policy': 'delete',
};

async function configsOf(admin: Admin, names: readonly string[]): Promise<Configs> {
  const configNames = [...Object.keys(kept), 'min.insync.replicas'];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: resourceTypes.topic, name, configNames })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}

function checkReplicas(metadata: readonly ITopicMetadata[], configs: Configs, brokers: number): Found[] {
  const found: Found[] = [];
  for (const [key, value] of Object.entries(kept)) {
    const other = [...configs].filter(([, config]) => config.get(key) !== value);
    if (other.length === 0) continue;
    const names = other.map(([name, config]) => `${name} (${config.get(key)})`).join(', ');
    found.push(
      wrong(
        `${key} is not ${value} on ${names}`,
        `Set it at once: what the log drops is lost (kafka-configs --alter --add-config ${key}=${value}).`,
      ),
    );
  }
  if (found.length === 0) found.push(ok('everything is kept for ever, stamped by the broker'));
  for (const topic of metadata) found.push(...checkTopic(topic, configs.get(topic.name), brokers));
  return oneLine(found);
}

function checkTopic(
  { partitions }: ITopicMetadata,
  config: ReadonlyMap<string, string> | undefined,
  brokers: number,
): Found[] {
  const replicas = Math.min(...partitions.map((p) => p.replicas.length));
  const inSync = Math.min(...partitions.map((p) => p.isr.length));
  const required = Number(config?.get('min.insync.replicas') ?? 1);
  if (required > replicas)
    return [
      wrong(
        `min.insync.replicas ${required} is more than the ${replicas} replicas: no write is taken`,
        'Lower it, or add replicas.',
      ),
    ];
  if (inSync < replicas)
    return [
      warn(
        `only ${inSync} of ${replicas} replicas are in sync`,
        'Look at the brokers that are behind or down.',
      ),
    ];
  if (brokers === 1) return [ok('one broker, one replica: right for a single node only')];
  if (replicas < 3 || required < 2)
    return [
      warn(
        `${replicas} replicas, of which ${required} must have a write: acknowledged ones can be lost`,
        'Have 3 replicas and min.insync.replicas 2 outside a single node.',
      ),
    ];
  return [ok(`${replicas} replicas, ${required} of them in sync for each write`)];
}

/** The same of all topics is said once. */
function oneLine(found: readonly Found[]): Found[] {
  return [...new Map(found.map((one) => [one.what, one])).values()];
}

/** Other worlds on the same brokers have a prefix with a dot of their own. */
function checkStrangers(existing: readonly string[], prefix: string): Found[] {
  const known: readonly string[] = [...topics, probeTopic];
  const strangers = existing
    .filter((name) => name.startsWith(prefix) && !name.startsWith('__'))
    .map((name) => name.slice(prefix.length))
    .filter((name) => !known.includes(name) && !name.includes('.'));
  if (strangers.length === 0) return [];
  return [
    warn(
      `topics that nothing here knows: ${strangers.map((name) => topicName(prefix, name)).join(', ')}`,
      'A former generation, or of a newer release: delete them once nobody needs them.',
    ),
  ];
}
