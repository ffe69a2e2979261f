import { LRUCache } from 'lru-cache';
import { ProblemError } from '../../platform/errors/problem.ts';
import type { Appender } from '../../platform/log/appender.ts';
import { type Codec, UnknownEventType } from '../../platform/log/codec.ts';
import { type LogRecord, type PartitionBatch, stepOf } from '../../platform/log/consumer.ts';
import { dependencyOf } from '../../platform/log/outage.ts';
import { headerOf } from '../../platform/log/record.ts';
import { type Rulings, underRulings } from '../../platform/log/rulings.ts';
import { type Client, type Pool, roundIdleMs, transaction } from '../../platform/postgres/pool.ts';
import { savePositions } from '../../platform/postgres/positions.ts';
import { crashPoint } from '../../platform/process/crash-points.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import { runWithTrace } from '../../platform/telemetry/trace.ts';
import { erasedAmong } from '../../platform/vault/erasures.ts';
import { type Event, type EventOf, eventCatalog } from '../../schemas/generated/events.ts';
import { eraseVariants } from '../steps/erase.ts';
import { eachAtOnce } from './each.ts';
import type { MediaMetrics } from './metrics.ts';
import { type Outcome, outcomeOf, type Workshop } from './outcome.ts';
import { type Stuck, settleStuck } from './parking.ts';

export const consumerName = 'media-pipeline';

/** Records of one round: a crash repeats at most this many, and a repeat changes nothing. */
export const roundRecords = 32;

export interface Pipeline extends Workshop {
  codec: Codec<Event>;
  appender: Appender;
  pool: Pool;
  log: Logger;
  metrics: MediaMetrics;
  rulings: Rulings;
  /** Pictures at a time. */
  atOnce: number;
}

/** How a record ended; discard is the original of a rejected upload. */
type Decided = { eventTime: number; discard: string | null };
type Ended = Decided | Stuck;

/** Rounds that failed half-way are handed in again: what has ended already is not done twice. */
const rememberedRecords = 10_000;

/**
 * Makes `handle` for the consumer loop: every upload of a round gets its outcome appended, then the positions are
 * saved. An outage (store, log, Postgres) throws and the loop hands the round in again, for as long as it lasts; a
 * picture is never rejected for it. What fails for any other reason is our own fault and is parked.
 */
export function createHandler(pipeline: Pipeline): (batches: readonly PartitionBatch[]) => Promise<void> {
  const ended = new LRUCache<string, Ended>({ max: rememberedRecords });

  const end = async (record: LogRecord): Promise<void> => {
    if (ended.has(idOf(record))) return;
    ended.set(
      idOf(record),
      await runWithTrace(headerOf(record, 'traceparent'), () => settle(pipeline, record)),
    );
  };

  return async (batches) => {
    const uploads = (await asRuled(pipeline, batches)).filter(mayBeUpload);
    if (batches.some(({ unparking }) => unparking)) forgetStuck(ended, uploads);
    await pipeline.codec.prepare(uploads.map((record) => record.value));
    await eachAtOnce(uploads, pipeline.atOnce, end);
    const all = uploads.map((record) => ended.get(idOf(record))!);
    await savePassed(pipeline, batches, all);
    await discardRejected(pipeline, all);
  };
}

/** The records of a round as operators have ruled: edited ones in the place of theirs, discarded ones left out. */
async function asRuled(
  { rulings }: Pipeline,
  batches: readonly PartitionBatch[],
): Promise<readonly LogRecord[]> {
  if (batches.some(({ unparking }) => unparking)) await rulings.refresh();
  const records = batches.flatMap((batch) => batch.records);
  return underRulings(rulings.of(consumerName), records);
}

/** What is tried again is done again, whatever is remembered of it. */
function forgetStuck(ended: LRUCache<string, Ended>, uploads: readonly LogRecord[]): void {
  for (const id of uploads.map(idOf)) if ('error' in (ended.get(id) ?? {})) ended.delete(id);
}

/** Every record has an event id; one that lost its headers is known by its place. */
function idOf(record: LogRecord): string {
  return headerOf(record, 'ce_id') ?? `${record.topic}/${record.partition}/${record.offset}`;
}

/** A record that lost its headers may be one: what it is shows when it is decoded. */
function mayBeUpload(record: LogRecord): boolean {
  const type = headerOf(record, 'ce_type');
  if (!type) return true;
  if (type in eventCatalog) return type === 'MediaUploaded';
  throw new UnknownEventType(
    `${record.topic}/${record.partition} holds an event ${type} at ${record.offset} that this version does not know. ` +
      'Deploy the consumers first.',
  );
}

async function settle(pipeline: Pipeline, record: LogRecord): Promise<Ended> {
  const { codec, appender, log, metrics } = pipeline;
  const began = performance.now();
  try {
    const sealed = codec.decode(record.value);
    if (sealed.type !== 'MediaUploaded') return { eventTime: sealed.meta.time, discard: null };
    const cause = codec.reveal(sealed, () => undefined) as EventOf<'MediaUploaded'>;
    const outcome = await outcomeUnlessErased(pipeline, cause);
    if (outcome === null) return { eventTime: cause.meta.time, discard: cause.objectKey };
    await appender.append(codec.encode(outcome, null));
    crashPoint('media.after-append');
    const ms = performance.now() - began;
    metrics.outcome(codeOf(outcome), ms / 1_000);
    log.info({ mediaId: cause.mediaId, code: codeOf(outcome), ms: Math.round(ms) }, 'media decided');
    return { eventTime: cause.meta.time, discard: leftover(outcome) ? cause.objectKey : null };
  } catch (error) {
    if (isOutage(error)) throw error;
    metrics.parked();
    log.error({ err: error, key: record.key, offset: `${record.offset}` }, 'an upload is parked');
    return { record, error: error as Error };
  }
}

/**
 * null: the owner was erased, and nothing of this upload is kept. Asked behind the variants: of these and the eraser's
 * look for them one is the later.
 */
async function outcomeUnlessErased(
  pipeline: Pipeline,
  cause: EventOf<'MediaUploaded'>,
): Promise<Outcome | null> {
  const isErased = async (): Promise<boolean> =>
    (await erasedAmong(pipeline.pool, [cause.ownerId])).has(cause.ownerId);
  const outcome = (await isErased()) ? null : await outcomeOf(cause, pipeline);
  if (outcome !== null && !(await isErased())) return outcome;
  await eraseVariants(pipeline, cause.mediaId);
  return null;
}

/** Every outage of a part has been made a ProblemError by the one who met it, but for those of Postgres. */
function isOutage(error: unknown): boolean {
  if (error instanceof ProblemError) return error.status === 503;
  return dependencyOf(error as Error) === 'postgres';
}

function codeOf(outcome: Outcome): string {
  return outcome.type === 'MediaReady' ? 'ready' : outcome.code;
}

function leftover(outcome: Outcome): boolean {
  return outcome.type === 'MediaRejected' && outcome.code !== 'media_missing';
}

async function savePassed(
  pipeline: Pipeline,
  batches: readonly PartitionBatch[],
  all: readonly Ended[],
): Promise<void> {
  const times = all.map((one) => ('eventTime' in one ? one.eventTime : 0));
  const steps = batches.map((batch) => stepOf(batch, Math.max(0, ...times)));
  const stuck = all.filter((one) => 'error' in one);
  const save = async (client: Client): Promise<void> => {
    await savePositions(client, consumerName, steps);
    await settleStuck(client, consumerName, batches, stuck);
  };
  await transaction(pipeline.pool, save, roundIdleMs);
  crashPoint('media.after-position');
}

/**
 * Nothing of a rejected upload is kept (F-ME2). Only behind the saved position: a repeat must still find the bytes,
 * or it would say that they are missing. What a crash leaves here is an orphan for the sweep, so failing is no harm.
 */
async function discardRejected({ storage, log }: Pipeline, all: readonly Ended[]): Promise<void> {
  const keys = all.flatMap((one) => ('discard' in one && one.discard !== null ? [one.discard] : []));
  if (keys.length === 0) return;
  await storage.remove(keys).catch((error) => log.warn({ err: error, keys }, 'rejected originals stay'));
}
