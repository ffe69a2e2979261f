import type { Appender, EncodedRecord } from '../../platform/log/appender.ts';
import type { Codec } from '../../platform/log/codec.ts';
import type { Position } from '../../platform/log/position.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
import { loadDataKeys } from '../../platform/vault/data-keys.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { problem } from '../guards/problem.ts';

/** Appends the events of free commands straight away (DESIGN §4). */
export interface LogWriter {
  /** The event as it will be in the log, its personal fields under their owner's key. Throws token_invalid. */
  encode(event: Event): Promise<EncodedRecord>;
  /** Where it is, once the broker has it. Throws outcome_unknown, event_too_large. */
  append(record: EncodedRecord): Promise<Position>;
}

export interface LogWriterOptions {
  pool: Queryable;
  master: MasterKey;
  codec: Codec<Event>;
  appender: Appender;
}

export function openLogWriter(options: LogWriterOptions): LogWriter {
  return {
    encode: (event) => encode(options, event),
    append: (record) => options.appender.append(record),
  };
}

async function encode({ pool, master, codec }: LogWriterOptions, event: Event): Promise<EncodedRecord> {
  const owner = ownerOf(event);
  if (owner === null) return codec.encode(event, null);
  const keys = await loadDataKeys(pool, master, [owner], { share: false });
  const key = keys.get(owner);
  // Without a data key the account was erased: its tokens outlive it by minutes.
  if (!key) throw problem('token_invalid', 'The account of this token is gone.');
  return codec.encode(event, key);
}

/** Whose data key the event's personal fields are under; null when it has none. */
function ownerOf(event: Event): string | null {
  const entry: { owner: string | null; personal: readonly string[] } = eventCatalog[event.type];
  const { owner, personal } = entry;
  if (owner === null || personal.length === 0) return null;
  return (event as unknown as Record<string, string>)[owner]!;
}
