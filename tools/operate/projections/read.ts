import type { Heads } from '../../../platform/log/lag.ts';
import { openHeads } from '../../../platform/log/topics.ts';
import { operatorKafka } from '../broker.ts';
import type { Operator } from '../connect.ts';
import { within } from '../within.ts';
import { type Projection, projectionsOf } from './projection.ts';
import { readEngine, readTopics } from './rows.ts';

export interface Look {
  projections: Projection[];
  /** Why the heads of the log are not known; null when they are. */
  brokerProblem: string | null;
}

const brokerLimitMs = 6_000;

/** How every projection is now. Works without the broker: then nobody knows how far behind they are. */
export async function readProjections({ config, pool }: Operator): Promise<Look> {
  // The heads first: what is appended in between would else look like lag.
  const topics = await readTopics(pool);
  const heads = await within(brokerLimitMs, readHeads(config, topics)).catch((error: Error) => error);
  const rows = await readEngine(pool);
  const unknown = heads instanceof Error;
  return {
    projections: projectionsOf(rows, unknown ? null : heads, Date.now()),
    brokerProblem: unknown ? heads.message : null,
  };
}

async function readHeads(config: Operator['config'], topics: readonly string[]): Promise<Heads> {
  const heads = await openHeads(operatorKafka(config), config.prefix, topics);
  return heads.read().finally(heads.close);
}
