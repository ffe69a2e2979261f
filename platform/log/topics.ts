import type { Admin, Kafka } from 'kafkajs';

/** The broker's name of a topic: one log can carry several worlds, each under a prefix. */
export function topicName(prefix: string, topic: string): string {
  return `${prefix}${topic}`;
}

export interface TopicContract {
  prefix: string;
  topics: readonly string[];
  partitions: number;
}

/**
 * Makes the missing topics: kept for ever, stamped by the broker (business time is in the event). `replication`: on so
 * many brokers each.
 */
export async function createTopics(
  kafka: Kafka,
  contract: TopicContract,
  replication = 1,
): Promise<string[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = contract.topics
      .map((topic) => topicName(contract.prefix, topic))
      .filter((t) => !existing.has(t));
    if (missing.length === 0) return [];
    await admin.createTopics({
      waitForLeaders: false,
      topics: missing.map((topic) => ({
        topic,
        numPartitions: contract.partitions,
        replicationFactor: replication,
        configEntries: [
          { name: 'retention.ms', value: '-1' },
          { name: 'retention.bytes', value: '-1' },
          { name: 'cleanup.policy', value: 'delete' },
          { name: 'message.timestamp.type', value: 'LogAppendTime' },
          { name: 'min.insync.replicas', value: replication >= 3 ? '2' : '1' },
        ],
      })),
    });
    await untilLed(admin, missing);
    return missing;
  } finally {
    await admin.disconnect();
  }
}

const ledWithinMs = 20_000;

/** kafkajs' own wait gives up on the first 'not hosted here', which several creations at once provoke. */
async function untilLed(admin: Admin, names: string[]): Promise<void> {
  for (const until = Date.now() + ledWithinMs; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const found = await admin.fetchTopicMetadata({ topics: names }).catch((error: Error) => error);
    if (!(found instanceof Error) && found.topics.every((t) => t.partitions.every((p) => p.leader >= 0)))
      return;
    if (Date.now() < until) continue;
    const reason = found instanceof Error ? found.message : 'partitions without a leader';
    throw new Error(
      `The topics made have no leaders after ${ledWithinMs / 1_000} s (${reason}). Is the broker well?`,
    );
  }
}

/** Refuses to go on when a topic is missing or has another number of partitions than the contract says. */
export async function checkTopics(kafka: Kafka, contract: TopicContract): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const names = contract.topics.map((topic) => topicName(contract.prefix, topic));
    const existing = new Set(await admin.listTopics());
    const missing = names.filter((name) => !existing.has(name));
    if (missing.length > 0)
      throw new Error(`Topics are missing: ${missing.join(', ')}. Run \`emulsion up\` to make them.`);
    const { topics } = await admin.fetchTopicMetadata({ topics: names });
    for (const { name, partitions } of topics) {
      if (partitions.length === contract.partitions) continue;
      throw new Error(
        `Topic ${name} has ${partitions.length} partitions, the contract says ${contract.partitions}. Set ` +
          'EMULSION_PARTITIONS to what the log was made with; growth is a new generation of the topic.',
      );
    }
  } finally {
    await admin.disconnect();
  }
}

/** The heads of these topics, asked for again and again over one connection. */
export async function openHeads(kafka: Kafka, prefix: string, topics: readonly string[]) {
  const admin = kafka.admin();
  await admin.connect();
  return {
    read: () => readHeads(admin, prefix, topics),
    close: () => admin.disconnect(),
  };
}

/** The next offset to be written, per topic and partition. */
export async function fetchHeads(
  kafka: Kafka,
  prefix: string,
  topics: readonly string[],
): Promise<Map<string, bigint[]>> {
  const heads = await openHeads(kafka, prefix, topics);
  return heads.read().finally(heads.close);
}

/** The same over a connection that is there. */
export async function readHeads(
  admin: Admin,
  prefix: string,
  topics: readonly string[],
): Promise<Map<string, bigint[]>> {
  const heads = new Map<string, bigint[]>();
  for (const topic of topics) {
    const offsets: bigint[] = [];
    for (const { partition, high } of await admin.fetchTopicOffsets(topicName(prefix, topic))) {
      offsets[partition] = BigInt(high);
    }
    heads.set(topic, offsets);
  }
  return heads;
}
