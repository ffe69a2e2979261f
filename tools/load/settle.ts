import type { Kafka } from '../../platform/log/kafka.ts';
import { fetchHeads } from '../../platform/log/topics.ts';
import type { Pool } from '../../platform/postgres/pool.ts';
import { consumerOf } from '../../platform/postgres/serving.ts';
import { topics } from '../../schemas/topics.ts';
import { startPhase } from './progress.ts';

/** Where the projections of one installation are seen from. */
export interface Installation {
  kafka: Kafka;
  pool: Pool;
  prefix: string;
}

export interface Lag {
  consumer: string;
  events: number;
}

const pollMs = 250;
const stalledMs = 120_000;
/** The pipeline and the reactors append too: nothing behind, seen this often in a row with the same heads, is the end. */
const quietRounds = 3;

/** Waits until every consumer has read all; gives their lag, which is not 0 when nothing moved for two minutes. */
export async function awaitProjections(at: Installation): Promise<Lag[]> {
  const phase = startPhase('projections', 0);
  let lags: Lag[] = [];
  let quiet = 0;
  let least = Number.POSITIVE_INFINITY;
  let total = 0;
  let moved = performance.now();
  try {
    while (quiet < quietRounds && performance.now() - moved < stalledMs) {
      lags = await readLags(at);
      const behind = lags.reduce((sum, lag) => sum + lag.events, 0);
      if (behind < least) moved = performance.now();
      least = Math.min(least, behind);
      total = Math.max(total, behind);
      quiet = behind === 0 && lags.length > 0 ? quiet + 1 : 0;
      phase.at(total - behind, total, behind === 0 ? 'caught up' : noteOf(lags));
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  } finally {
    phase.end();
  }
  return lags;
}

function noteOf(lags: Lag[]): string {
  const behind = lags
    .filter((lag) => lag.events > 0)
    .map((lag) => `${lag.consumer} ${lag.events.toLocaleString('en')}`);
  return `behind: ${behind.join(', ')}`;
}

/** Events that each consumer has still to read. A version that is not the served one may stand still for ever. */
async function readLags({ kafka, pool, prefix }: Installation): Promise<Lag[]> {
  const heads = await fetchHeads(kafka, prefix, topics);
  const served = await pool.query('SELECT model, version FROM engine.serving');
  const serving = new Map(
    served.rows.map((row) => [row.model as string, consumerOf(row.model, row.version)]),
  );
  const { rows } = await pool.query(
    'SELECT consumer, topic, partition, position FROM engine.position ORDER BY consumer',
  );
  const lags = new Map<string, number>([...serving.values()].map((consumer) => [consumer, 0]));
  for (const row of rows) {
    const model = String(row.consumer).replace(/\.v\d+$/, '');
    if (serving.has(model) && serving.get(model) !== row.consumer) continue;
    const head = heads.get(row.topic)?.[row.partition] ?? 0n;
    lags.set(row.consumer, (lags.get(row.consumer) ?? 0) + Math.max(0, Number(head) - Number(row.position)));
  }
  return [...lags].map(([consumer, events]) => ({ consumer, events }));
}
