import { failure } from '../../../deploy/native/failure.ts';
import { type Codec, type SealedEvent, Undecodable } from '../../../platform/log/codec.ts';
import type { Kafka } from '../../../platform/log/kafka.ts';
import { readLog, type Stretch } from '../../../platform/log/read-log.ts';
import { headerOf, type LogRecord } from '../../../platform/log/record.ts';
import type { Queryable } from '../../../platform/postgres/pool.ts';
import type { Event } from '../../../schemas/generated/events.ts';

export interface LogSince {
  kafka: Kafka;
  prefix: string;
  codec: Codec<Event>;
  /** What was appended since the backup, and what reactors had not done then. */
  stretches: readonly Stretch[];
  /** The heads of the log when the backup was made, by topic. */
  heads: Record<string, number[]>;
}

export interface Since {
  /** Appended since the backup. */
  events: number;
  /** Registered since: their data keys were in the lost database alone. */
  lostAccounts: number;
}

/**
 * Reads what the log has got since the backup: for whatever a restore must know of it before anybody is served. `note`
 * is told of each event, personal fields unrevealed. Throws a failure when the registry's numbers are not those that the
 * log was written with.
 */
export async function readSince(
  log: LogSince,
  db: Queryable,
  note: (event: SealedEvent) => void,
): Promise<Since> {
  const since: Since = { events: 0, lostAccounts: 0 };
  await readLog({
    ...log,
    async handle(records) {
      await prepared(log.codec, records);
      const fresh = records.filter(
        (record) => Number(record.offset) >= (log.heads[record.topic]?.[record.partition] ?? 0),
      );
      since.events += fresh.length;
      const events = records.map((record) => decoded(log.codec, record));
      for (const event of events) if (event) note(event);
      const registered = fresh.filter((record) => headerOf(record, 'ce_type') === 'UserRegistered');
      since.lostAccounts += await countKeyless(
        db,
        registered.map((record) => record.key),
      );
    },
  });
  return since;
}

async function prepared(codec: Codec<Event>, records: readonly LogRecord[]): Promise<void> {
  await codec.prepare(records.map((record) => record.value)).catch((error: Error) => {
    const { topic, partition } = records[0]!;
    throw failure(
      `${topic}/${partition} names a schema that the registry does not have: ${error.message}.`,
      'It was registered after the backup: bring back the registry from a backup of its own, or from a newer one of ours.',
      error,
    );
  });
}

/** null for what no model can decode either: they park it. */
function decoded(codec: Codec<Event>, record: LogRecord): SealedEvent | null {
  try {
    const event = codec.decode(record.value);
    const said = headerOf(record, 'ce_type');
    if (said === undefined || said === event.type) return event;
    throw failure(
      `The registry says that ${record.topic}/${record.partition} holds a ${event.type} at ${record.offset}, and its header says ${said}: the registry's numbers are others than those the log was written with.`,
      'Bring back the registry from a backup of its own, or from a newer backup of ours.',
    );
  } catch (error) {
    if (error instanceof Undecodable) return null;
    throw error;
  }
}

async function countKeyless(db: Queryable, owners: readonly string[]): Promise<number> {
  if (owners.length === 0) return 0;
  const { rows } = await db.query(
    `SELECT count(*) AS lost FROM unnest($1::text[]) AS n (owner)
     WHERE NOT EXISTS (SELECT FROM vault.data_key k WHERE k.owner = n.owner)`,
    [owners],
  );
  return rows[0].lost;
}
