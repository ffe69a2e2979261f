import { openCodec } from '../../platform/log/codec.ts';
import { readLog, wholeLog } from '../../platform/log/read-log.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { topics } from '../../schemas/topics.ts';
import type { Place } from '../harness/world.ts';

/** A record of the log with what is not personal in it. */
export interface Recorded {
  /** Greater than that of any earlier one in its partition. */
  order: number;
  key: string;
  /** Of the event: two records with one id are one event, written twice. */
  id: string;
  type: string;
  /** Event time, milliseconds. */
  at: number;
  traceId: string;
  fields: Record<string, unknown>;
}

/** Everything in the world's log. */
export async function readRecords({ kafka, prefix, env }: Place): Promise<Recorded[]> {
  const codec = await openCodec<Event>({
    registryUrl: env.SCHEMA_REGISTRY_URL!,
    catalog: eventCatalog,
    prefix,
  });
  const found: Recorded[] = [];
  await readLog({
    kafka,
    prefix,
    stretches: await wholeLog(kafka, prefix, topics),
    async handle(records) {
      await codec.prepare(records.map(({ value }) => value));
      for (const { key, value } of records) {
        const { type, meta, fields } = codec.decode(value);
        const { id, time: at, correlation: traceId } = meta;
        found.push({ order: found.length, key, id, type, at, traceId, fields });
      }
    },
  });
  return found;
}
