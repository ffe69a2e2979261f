import type { Decoder } from '../../platform/log/codec.ts';
import { type LogRecord, type PartitionBatch, stepOf } from '../../platform/log/consumer.ts';
import { type Rulings, underRulings } from '../../platform/log/rulings.ts';
import { settleLetters, type TriedLetters } from '../../platform/postgres/parked.ts';
import { type Client, type Pool, roundIdleMs, transaction } from '../../platform/postgres/pool.ts';
import { type PositionStep, savePositions } from '../../platform/postgres/positions.ts';
import { crashPoint, isArmed } from '../../platform/process/crash-points.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import { type Decoded, decodeBatches, eventsAhead, type Parking, revealEvents } from './decoding.ts';
import { erasedBy, eraseRows, lockErasures } from './erasure.ts';
import { type Change, type Model, type SeenEvent, Unappliable } from './model.ts';
import { halves, isDeterministic, isFailure, park, parkedKeys, triedLetters } from './parking.ts';
import { type RegisterTable, type RegisterWrites, registerWrites } from './tables.ts';

/** What applying needs of its process. */
export interface ApplyContext {
  pool: Pool;
  codec: Decoder<SeenEvent>;
  master: MasterKey;
  /** What operators have ruled about parked records: laid over every record that is applied. */
  rulings: Rulings;
}

/** A build of a model, with its tables found. */
export interface Installed {
  model: Model;
  /** Of the build; the model's own version is its definition. */
  version: number;
  consumer: string;
  schema: string;
  tables: Map<string, RegisterTable>;
}

/** What a round brought: for logs, metrics and reactors. */
export interface Applied<T> {
  steps: PositionStep[];
  events: SeenEvent[];
  parkings: Parking[];
  /** Of a round that tries parked records again. */
  tried: TriedLetters | null;
  result: T;
}

/** What a kind of model adds to a round. */
export interface RoundKind<T> {
  /** Fences the transaction: savePositions, or holdPositions for a model that saves them later. */
  fence: typeof savePositions;
  /** Milliseconds between two statements of its transaction at most; half a minute unless said, 0 for no limit. */
  idleLimitMs?: number;
  /** Writes the rows of these events: settleRows, or the bulk path of a rebuild. */
  write(client: Client, installed: Installed, events: readonly SeenEvent[]): Promise<void>;
  /** Of a model that saves its positions later, and ends retries of parked records with them: see saveApplied. */
  savesLater?: boolean;
  /** Further work in the transaction of the rows. */
  inTransaction(client: Client, events: readonly SeenEvent[]): Promise<T>;
  /** What follows the commit: nothing of the next records is applied before it. */
  committed(part: Applied<T>): Promise<void>;
}

/**
 * Applies one round: positions first (a stale process fails there, before it has written anything), then rows,
 * counters and derivations, all in one transaction (DESIGN §2 rule 3). A record that fails for good is searched by
 * halving and parked; whatever else is thrown is for the caller to retry.
 */
export async function applyRound<T>(
  context: ApplyContext,
  installed: Installed,
  batches: readonly PartitionBatch[],
  kind: RoundKind<T>,
): Promise<Applied<T>[]> {
  const decoded = await decodeBatches(context.codec, await asRuled(context, installed, batches));
  const part = await applyOrFind(context, installed, batches, decoded, kind);
  if (part) {
    await kind.committed(part);
    return [part];
  }
  const [first, second] = halves(batches);
  return [
    ...(await applyRound(context, installed, first, kind)),
    ...(await applyRound(context, installed, second, kind)),
  ];
}

/** The batches as operators have ruled: edited records in the place of theirs, discarded ones left out. */
async function asRuled(
  { rulings }: ApplyContext,
  { model }: Installed,
  batches: readonly PartitionBatch[],
): Promise<readonly PartitionBatch[]> {
  // No ruling is made while a retry is asked for, so what there is now is all there is to this one.
  if (batches.some(({ unparking }) => unparking)) await rulings.refresh();
  const ruled = rulings.of(model.name);
  if (!ruled) return batches;
  return batches.map((batch) => ({
    ...batch,
    records: underRulings(ruled, batch.records),
  }));
}

/** null: one of several records fails for good, and the round must be halved to find it. */
async function applyOrFind<T>(
  context: ApplyContext,
  installed: Installed,
  batches: readonly PartitionBatch[],
  decoded: Decoded,
  kind: RoundKind<T>,
): Promise<Applied<T> | null> {
  try {
    return await applyDecoded(context, installed, batches, decoded, kind);
  } catch (error) {
    if (!isDeterministic(error)) throw error;
    if (batches.length > 1 || batches[0]!.records.length > 1) return null;
    if (!decoded.events[0]) throw error;
    const poisoned = { events: [], parkings: [violation(decoded.events[0], error)] };
    return applyDecoded(context, installed, batches, poisoned, kind);
  }
}

function violation({ record, sealed }: Decoded['events'][number], error: unknown): Parking {
  const eventId = sealed.meta.id;
  // Neither quotes what the record says, which may be personal: an error's own text does, and so does Postgres' detail.
  if (error instanceof Unappliable) return { record, eventId, code: 'unexpected', detail: placeOf(error) };
  const { code, constraint, message } = error as { code: string; constraint?: string; message: string };
  const detail = constraint
    ? `SQLSTATE ${code}, constraint ${constraint}`
    : `SQLSTATE ${code}: ${message.split(':')[0]}`;
  return { record, eventId, code: 'violates_constraint', detail };
}

/** Which line of the model failed, and how. */
function placeOf({ message, cause }: Unappliable): string {
  const { name = 'Error', stack = '' } = cause as Error;
  const line = stack.match(/([\w.-]+\.ts:\d+):\d+\)?$/m)?.[1] ?? 'an unknown line';
  return `${message}: ${name} at ${line}`;
}

async function applyDecoded<T>(
  context: ApplyContext,
  installed: Installed,
  batches: readonly PartitionBatch[],
  decoded: Decoded,
  kind: RoundKind<T>,
): Promise<Applied<T>> {
  const newestTime = newestTimes(decoded);
  const steps = batches.map((batch) => stepOf(batch, newestTime(batch)));
  const work = async (client: Client): Promise<Applied<T>> => {
    await kind.fence(client, installed.consumer, steps);
    const isParked = await parkedKeys(client, installed.consumer, batches);
    const revealed = await revealEvents(client, context.codec, context.master, decoded);
    const { events, parkings } = holdBack(revealed, isParked);
    const tried = triedLetters(batches, parkings);
    if (!tried) await park(client, installed.consumer, parkings);
    if (isArmed()) for (const { meta } of events) crashPoint(`apply ${meta.id}`);
    await kind.write(client, installed, events);
    const result = await kind.inTransaction(client, events);
    if (tried && !kind.savesLater) await settleLetters(client, installed.consumer, tried);
    return { steps, events, parkings: tried ? parkings.filter(isFailure) : parkings, tried, result };
  };
  return transaction(context.pool, work, kind.idleLimitMs ?? roundIdleMs);
}

/** Saves the positions of a part whose rows are committed already, and ends the retry that it was. */
export async function saveApplied<T>(pool: Pool, consumer: string, part: Applied<T>): Promise<void> {
  const { steps, tried } = part;
  if (!tried) return savePositions(pool, consumer, steps);
  await transaction(pool, async (client) => {
    await savePositions(client, consumer, steps);
    await settleLetters(client, consumer, tried);
  });
}

const isErasure = (event: SeenEvent): boolean => event.type === 'UserErased';

/**
 * Later events of a parked key wait behind it, those of this very round included. An erasure does not: what waits would
 * go on to be shown.
 */
function holdBack(
  revealed: { events: { record: LogRecord; event: SeenEvent }[]; parkings: Parking[] },
  isParked: (record: LogRecord) => boolean,
): { events: SeenEvent[]; parkings: Parking[] } {
  const failed = revealed.parkings.map((p) => p.record);
  const behind = ({ record, event }: { record: LogRecord; event: SeenEvent }): boolean =>
    !isErasure(event) &&
    (isParked(record) ||
      failed.some((f) => f.topic === record.topic && f.key === record.key && f.offset < record.offset));
  const waiting = revealed.events.filter(behind).map(
    ({ record, event }): Parking => ({
      record,
      eventId: event.meta.id,
      code: 'behind_parked_key',
      detail: 'waits behind a parked record of its key',
    }),
  );
  const events = waiting.length === 0 ? revealed.events : revealed.events.filter((item) => !behind(item));
  return { events: events.map(({ event }) => event), parkings: [...revealed.parkings, ...waiting] };
}

/** The newest event time in each partition of the round, milliseconds. */
function newestTimes({ events }: Decoded): (batch: PartitionBatch) => number {
  const newest = new Map<string, number>();
  for (const { record, sealed } of events) {
    const id = `${record.topic}/${record.partition}`;
    newest.set(id, Math.max(newest.get(id) ?? 0, sealed.meta.time));
  }
  return ({ topic, partition }) => newest.get(`${topic}/${partition}`) ?? 0;
}

/** Advisory locks are kept in shared memory: ids share this many. */
export const lockBuckets = 256;

export function lockBucket(id: string): number {
  return Number.parseInt(id.slice(-2), 16) % lockBuckets;
}

/**
 * Batches whose rows a derivation joins wait for each other, in one order, so that of two that commit at once the
 * later sees the earlier's rows.
 */
async function lockTogether(
  client: Client,
  installed: Installed,
  events: readonly SeenEvent[],
): Promise<void> {
  const { lockOf } = installed.model;
  if (!lockOf || events.length === 0) return;
  const ids = events.map(lockOf).filter((id) => id !== null);
  const buckets = [...new Set(ids.map(lockBucket))].sort((a, b) => a - b);
  await client.query('SELECT pg_advisory_xact_lock(hashtext($1), b) FROM unnest($2::int[]) AS b', [
    installed.consumer,
    buckets,
  ]);
}

/** The ordinary way of a round: under the locks of what it touches, registers, counters and derivations. */
export async function settleRows(
  client: Client,
  installed: Installed,
  events: readonly SeenEvent[],
): Promise<void> {
  await lockErasures(client, installed, events.some(isErasure));
  await lockTogether(client, installed, events);
  await writeRegisters(client, installed, events);
}

/** Writes the registers of the round and what is derived from them. */
export async function writeRegisters(
  client: Client,
  installed: Installed,
  events: readonly SeenEvent[],
): Promise<void> {
  const { changes, statements } = takeWrites(installed, events);
  if (changes.length === 0) return;
  for (const { sql, params } of statements) await client.query(sql, params);
  const erased = await eraseRows(client, installed, erasedBy(installed, changes));
  await derive(client, installed, [...changes, ...erased]);
}

interface Ready {
  installed: Installed;
  events: readonly SeenEvent[];
  writes: RegisterWrites;
}

/** Of rounds that wait for the one before them, by their first event. */
const ready = new WeakMap<SeenEvent, Ready>();

/**
 * Encodes a round while Postgres is at the one before it, as if all of its events came through. What needs a key, an
 * operator's ruling or another look is left to the round itself.
 */
export function encodeAhead(
  { codec, rulings }: ApplyContext,
  installed: Installed,
  batches: readonly PartitionBatch[],
): void {
  if (rulings.of(installed.model.name)) return;
  const records = batches.flatMap((batch) => batch.records);
  try {
    const events = eventsAhead(codec, records);
    if (!events?.[0]) return;
    const writes = registerWrites(installed.model, installed.tables, events);
    ready.set(events[0], { installed, events, writes });
  } catch {
    // Its round meets the same, and says so.
  }
}

/** What was made ready for exactly these events, or made now: a held back event makes another round of it. */
function takeWrites(installed: Installed, events: readonly SeenEvent[]): RegisterWrites {
  const known = events[0] && ready.get(events[0]);
  const same =
    known?.installed === installed &&
    known.events.length === events.length &&
    known.events.every((event, n) => event === events[n]);
  return same ? known.writes : registerWrites(installed.model, installed.tables, events);
}

async function derive(client: Client, installed: Installed, changes: readonly Change[]): Promise<void> {
  for (const derivation of installed.model.derivations ?? []) {
    const { schema } = installed;
    await client.query(derivation.settle(schema, derivation.touched(schema)), derivation.params(changes));
  }
}
