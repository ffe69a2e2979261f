import { type Decoder, type SealedEvent, Undecodable } from '../../platform/log/codec.ts';
import type { LogRecord, PartitionBatch } from '../../platform/log/consumer.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
import { loadDataKeys } from '../../platform/vault/data-keys.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import type { SeenEvent } from './model.ts';

/** A record that fails for good, and why. */
export interface Parking {
  record: LogRecord;
  eventId: string | null;
  code: 'undecodable' | 'violates_constraint' | 'unexpected' | 'behind_parked_key';
  detail: string;
}

/** The records of a round, decoded; what does not decode is to be parked. */
export interface Decoded {
  events: { record: LogRecord; sealed: SealedEvent }[];
  parkings: Parking[];
}

const decodedAhead = new WeakMap<LogRecord, SealedEvent>();

/** Decodes what has arrived while Postgres is at the round before. What does not decode is left to its own round. */
export async function decodeAhead(codec: Decoder<SeenEvent>, records: readonly LogRecord[]): Promise<void> {
  try {
    await codec.prepare(records.map((record) => record.value));
    for (const record of records) decodedAhead.set(record, codec.decode(record.value));
  } catch {
    // Its round meets the same, and says so.
  }
}

/** The events of records that were all decoded ahead; null when one was not, or needs a key to be revealed. */
export function eventsAhead(codec: Decoder<SeenEvent>, records: readonly LogRecord[]): SeenEvent[] | null {
  const events: SeenEvent[] = [];
  for (const record of records) {
    const sealed = decodedAhead.get(record);
    if (!sealed || sealed.owner !== null) return null;
    events.push(codec.reveal(sealed, () => undefined));
  }
  return events;
}

/** Decodes a round. Throws UnknownEventType, and whatever the registry says while it is away. */
export async function decodeBatches(
  codec: Decoder<SeenEvent>,
  batches: readonly PartitionBatch[],
): Promise<Decoded> {
  const records = batches.flatMap((batch) => batch.records);
  await codec.prepare(records.map((record) => record.value));
  const decoded: Decoded = { events: [], parkings: [] };
  for (const record of records) {
    try {
      decoded.events.push({ record, sealed: decodedAhead.get(record) ?? codec.decode(record.value) });
    } catch (error) {
      decoded.parkings.push(undecodable(record, null, error));
    }
  }
  return decoded;
}

/**
 * Reveals personal fields with keys taken FOR SHARE in the transaction that writes them, so that an erasure can't be
 * overtaken (DESIGN §2 rule 2). What does not decrypt is to be parked.
 */
export async function revealEvents(
  client: Queryable,
  codec: Decoder<SeenEvent>,
  master: MasterKey,
  decoded: Decoded,
): Promise<{ events: { record: LogRecord; event: SeenEvent }[]; parkings: Parking[] }> {
  const owners = new Set<string>();
  for (const { sealed } of decoded.events) if (sealed.owner !== null) owners.add(sealed.owner);
  const keys = await loadDataKeys(client, master, [...owners], { share: true });
  const parkings = [...decoded.parkings];
  const events: { record: LogRecord; event: SeenEvent }[] = [];
  for (const { record, sealed } of decoded.events) {
    try {
      // A copy of what is revealed, because a retried transaction reveals the same ciphertext again.
      const own = sealed.owner === null ? sealed : { ...sealed, fields: { ...sealed.fields } };
      events.push({ record, event: codec.reveal(own, (owner) => keys.get(owner)) });
    } catch (error) {
      parkings.push(undecodable(record, sealed.meta.id, error));
    }
  }
  return { events, parkings };
}

function undecodable(record: LogRecord, eventId: string | null, error: unknown): Parking {
  if (!(error instanceof Undecodable)) throw error;
  return { record, eventId, code: 'undecodable', detail: error.message };
}
