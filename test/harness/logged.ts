import { openAppender } from '../../platform/log/appender.ts';
import { connectKafka } from '../../platform/log/kafka.ts';
import { createTopics } from '../../platform/log/topics.ts';
import type { Installed } from '../../projectors/engine/apply.ts';
import { createModelHandler } from '../../projectors/engine/runner.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { topics } from '../../schemas/topics.ts';
import { batchesOf, claimAll, openTestEngine, type Played, partitions, type TestEngine } from './engine.ts';
import type { ProjectionKit } from './projection.ts';

/** The engine of the kit with a log of its own on the real Kafka: for what reads the log again. */
export interface LoggedEngine {
  engine: TestEngine;
  /** Appends these in their order, each partition from offset 0 on: of no personal event, for nobody has keys. */
  append(played: readonly Played[]): Promise<void>;
  /** The same, and projects them into a build that has seen nothing yet. */
  project(installed: Installed, played: readonly Played[]): Promise<void>;
  close(): Promise<void>;
}

export async function openLoggedEngine(kit: ProjectionKit): Promise<LoggedEngine> {
  const base = await openTestEngine(kit);
  const { prefix, log } = base;
  const kafka = connectKafka({ brokers: process.env.KAFKA_BROKERS!.split(','), clientId: prefix, log });
  await createTopics(kafka, { prefix, topics, partitions });
  const appender = await openAppender({ kafka, prefix, partitions, log });
  const engine = { ...base, kafka };
  const append = async (played: readonly Played[]): Promise<void> => {
    for (const one of played) await appender.append(recordOf(engine, one));
  };
  return {
    engine,
    append,
    async project(installed, played) {
      await claimAll(kit, installed);
      await append(played);
      for (const batches of batchesOf(engine, [played])) await createModelHandler(engine, installed)(batches);
    },
    async close() {
      await appender.close();
      const admin = kafka.admin();
      await admin.connect();
      await admin.deleteTopics({ topics: topics.map((topic) => `${prefix}${topic}`) });
      await admin.disconnect();
    },
  };
}

function recordOf({ codec }: TestEngine, played: Played) {
  if (!('value' in played)) return codec.encode(played satisfies Event, null);
  return { ...played, headers: { ce_id: '', ce_type: '', traceparent: '' } };
}
