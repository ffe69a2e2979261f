import { expect, vi } from 'vitest';
import { type Appender, openAppender } from '../../platform/log/appender.ts';
import { type Codec, openCodec } from '../../platform/log/codec.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { createDataKey } from '../../platform/vault/data-keys.ts';
import { openMasterKey } from '../../platform/vault/master-key.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { expectVerified } from '../harness/verified.ts';
import type { World } from '../harness/world.ts';

/** Waits as long as a rebalance after a death may take on a busy machine. */
export const patience = { timeout: 120_000, interval: 100 };

/** Puts into the log of a world what its services never would. */
export interface Writer {
  codec: Codec<Event>;
  /** As command-api appends it: personal fields under the data key of their owner, which is made if need be. */
  append(event: Event): Promise<void>;
  appendRaw(record: Parameters<Appender['append']>[0]): Promise<void>;
  close(): Promise<void>;
}

export async function openWriter(world: World): Promise<Writer> {
  const { prefix, kafka, env, owner } = world;
  const codec = await openCodec<Event>({
    registryUrl: env.SCHEMA_REGISTRY_URL!,
    catalog: eventCatalog,
    prefix,
  });
  const log = createLogger('test', 'silent');
  const partitions = Number(env.EMULSION_PARTITIONS);
  const appender = await openAppender({ kafka, prefix, partitions, log });
  const master = openMasterKey(env.EMULSION_MASTER_KEY_FILE!);
  return {
    codec,
    async append(event) {
      const name = eventCatalog[event.type].owner;
      const id = name && (event as unknown as Record<string, string>)[name]!;
      await appender.append(codec.encode(event, id ? await createDataKey(owner, master, id) : null));
    },
    appendRaw: async (record) => void (await appender.append(record)),
    close: () => appender.close(),
  };
}

export interface ParkedRow {
  consumer: string;
  topic: string;
  partition: number;
  offset: number;
  key: string;
  code: string;
  attempts: number;
  retry: boolean;
}

export async function parkedRows(world: World, consumer?: string): Promise<ParkedRow[]> {
  const { rows } = await world.owner.query(
    `SELECT consumer, topic, partition, "offset"::int, key, code, attempts, retry FROM engine.parked
     WHERE $1::text IS NULL OR consumer = $1 ORDER BY consumer, topic, partition, "offset"`,
    [consumer ?? null],
  );
  return rows;
}

export function untilParked(world: World, consumer: string, records: number): Promise<ParkedRow[]> {
  return vi.waitFor(async () => {
    const rows = await parkedRows(world, consumer);
    expect(rows).toHaveLength(records);
    return rows;
  }, patience);
}

/** Nothing is parked, and every row and feed is what the log and its rulings say. */
export async function expectHealed(world: World): Promise<void> {
  await world.drained(patience.timeout);
  expect(await parkedRows(world)).toEqual([]);
  await expectVerified(world);
}
