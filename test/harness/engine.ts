import { type Codec, openCodec, registerSchemas } from '../../platform/log/codec.ts';
import type { LogRecord, PartitionBatch } from '../../platform/log/consumer.ts';
import { partitionOf } from '../../platform/log/partition.ts';
import { noRulings } from '../../platform/log/rulings.ts';
import { claimPositions } from '../../platform/postgres/positions.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { createMetrics } from '../../platform/telemetry/metrics.ts';
import { openMasterKey } from '../../platform/vault/master-key.ts';
import type { Installed } from '../../projectors/engine/apply.ts';
import { envelopeSeen, type SeenEvent } from '../../projectors/engine/model.ts';
import { createEngine, type Engine } from '../../projectors/engine/runner.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import type { ProjectionKit } from './projection.ts';

/** Partitions of the topics that these tests play. */
export const partitions = 3;

/** Its events are what runs sees of them; it can write whole ones, too. */
export type TestEngine = Engine & { codec: Codec<SeenEvent> };

/** The real engine on the kit's database, with the real registry; rounds come from the test instead of the log. */
export async function openTestEngine(kit: ProjectionKit): Promise<TestEngine> {
  const prefix = `t${Math.random().toString(36).slice(2)}.`;
  const schemas = { registryUrl: process.env.SCHEMA_REGISTRY_URL!, catalog: eventCatalog, prefix };
  await registerSchemas(schemas);
  const codec = await openCodec<SeenEvent>({ ...schemas, envelope: envelopeSeen });
  const master = openMasterKey(process.env.EMULSION_MASTER_KEY_FILE!);
  const log = createLogger('test', 'silent');
  const unused = undefined as never;
  const engine = createEngine(
    { kafka: unused, pool: kit.pool, codec, master, log, prefix, partitions, pauses: noPauses },
    createMetrics('test'),
  );
  return { ...engine, codec, rulings: noRulings };
}

const noPauses = { isPaused: () => false, close: async () => {} };

/** Takes every partition of the model's topics from their beginning, as generation 1. */
export async function claimAll(kit: ProjectionKit, { consumer, model }: Installed): Promise<void> {
  const starts = model.topics.flatMap((topic) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition, start: 0n })),
  );
  await claimPositions(kit.pool, consumer, starts);
}

// Nobody's in the vault: whoever reads these events finds their owner erased.
const dataKey = Buffer.alloc(32, 7);

export type Played = Event | { topic: string; key: string; value: Buffer };

/** Rounds as the consumer would give them: each event in the partition of its key, offsets counted on. */
export function batchesOf(engine: TestEngine, rounds: readonly (readonly Played[])[]): PartitionBatch[][] {
  const next = new Map<string, bigint>();
  return rounds.map((round) => {
    const batches = new Map<string, PartitionBatch>();
    for (const played of round) {
      const record = 'value' in played ? { ...played, headers: {} } : engine.codec.encode(played, dataKey);
      const partition = partitionOf(record.key, partitions);
      const id = `${record.topic}/${partition}`;
      const offset = next.get(id) ?? 0n;
      next.set(id, offset + 1n);
      const batch = batches.get(id) ?? emptyBatch(record.topic, partition, offset);
      batch.records.push({ ...record, partition, offset } satisfies LogRecord);
      batch.nextOffset = offset + 1n;
      batches.set(id, batch);
    }
    return [...batches.values()];
  });
}

function emptyBatch(topic: string, partition: number, offset: bigint): PartitionBatch {
  return { topic, partition, generation: 1n, firstOffset: offset, nextOffset: offset, records: [] };
}
