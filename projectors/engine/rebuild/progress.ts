import type { Pool } from '../../../platform/postgres/pool.ts';
import type { Build } from './builds.ts';

/** What a build has done, for whoever watches: kept in memory and written once a second. */
export interface Progress {
  read(topic: string, partition: number, bytes: number): void;
  applied(events: number): void;
  /** A record was parked. */
  failed(topic: string, partition: number): void;
  close(): Promise<void>;
}

interface Counted {
  topic: string;
  partition: number;
  bytes: number;
  errors: number;
}

const writeEveryMs = 1_000;
/** The rate is that of the last so many seconds. */
const windowSeconds = 5;

export function openProgress(pool: Pool, build: Build): Progress {
  const counted = new Map<string, Counted>();
  const rates: number[] = [];
  let events = 0;
  let last = performance.now();

  const of = (topic: string, partition: number): Counted => {
    const id = `${topic}/${partition}`;
    const own = counted.get(id) ?? { topic, partition, bytes: 0, errors: 0 };
    counted.set(id, own);
    return own;
  };
  const write = async (): Promise<void> => {
    const now = performance.now();
    rates.push(events / ((now - last) / 1_000));
    if (rates.length > windowSeconds) rates.shift();
    last = now;
    events = 0;
    const news = [...counted.values()];
    counted.clear();
    await writeCounts(pool, build, news);
    await writeRate(pool, build, rates.reduce((sum, rate) => sum + rate, 0) / rates.length);
  };
  let writing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // What could not be written is lost to the display, not to the build.
    writing = writing.then(write).catch(() => {});
  }, writeEveryMs);
  return {
    read(topic, partition, bytes) {
      of(topic, partition).bytes += bytes;
    },
    applied(count) {
      events += count;
    },
    failed(topic, partition) {
      of(topic, partition).errors += 1;
    },
    async close() {
      clearInterval(timer);
      await writing;
      await write().catch(() => {});
    },
  };
}

async function writeCounts(pool: Pool, { model, version }: Build, news: readonly Counted[]): Promise<void> {
  if (news.length === 0) return;
  await pool.query(
    `UPDATE engine.rebuild_partition p SET bytes = p.bytes + n.bytes, errors = p.errors + n.errors
     FROM unnest($3::text[], $4::int[], $5::bigint[], $6::bigint[]) AS n (topic, partition, bytes, errors)
     WHERE p.model = $1 AND p.version = $2 AND p.topic = n.topic AND p.partition = n.partition`,
    [
      model,
      version,
      news.map((n) => n.topic),
      news.map((n) => n.partition),
      news.map((n) => n.bytes),
      news.map((n) => n.errors),
    ],
  );
}

async function writeRate(pool: Pool, { model, version }: Build, perSecond: number): Promise<void> {
  await pool.query(
    `UPDATE engine.rebuild SET per_second = $3, eta_seconds = CASE WHEN $3 > 0 THEN (
       SELECT sum(target - position) / $3 FROM engine.rebuild_partition WHERE model = $1 AND version = $2) END
     WHERE model = $1 AND version = $2`,
    [model, version, perSecond],
  );
}
