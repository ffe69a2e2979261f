import { v7 } from 'uuid';
import type { Queryable } from '../../../platform/postgres/pool.ts';
import { controlChannel } from '../../../platform/postgres/serving.ts';

/** Something an operator has done to dead letters; for good in engine.command, like all that operators ask for. */
export interface Audit {
  kind: 'retry' | 'edit' | 'discard';
  model: string;
  arguments: Record<string, unknown>;
  askedBy: string;
  detail: string;
}

/** Written in the transaction of what was done. */
export async function writeAudit(client: Queryable, audit: Audit): Promise<void> {
  await client.query(
    `INSERT INTO engine.command (id, kind, model, arguments, asked_by, taken_at, done_at, outcome, detail)
     VALUES ($1, $2, $3, $4, $5, now(), now(), 'done', $6)`,
    [v7(), audit.kind, audit.model, JSON.stringify(audit.arguments), audit.askedBy, audit.detail],
  );
  await client.query('SELECT pg_notify($1, $2)', [controlChannel, `${audit.kind} ${audit.model}`]);
}
