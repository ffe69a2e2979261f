import { hostname, userInfo } from 'node:os';
import { v7 } from 'uuid';
import type { Queryable } from '../../platform/postgres/pool.ts';

/** What an operator wants done with a model; a projectors process carries it out. */
export interface Question {
  kind: 'pause' | 'resume' | 'rebuild' | 'cancel' | 'switch' | 'rollback' | 'drop';
  model: string;
  arguments?: Record<string, unknown>;
  /** Who the audit names; operatorName() at the command line. */
  askedBy: string;
}

export interface Answer {
  /** Of the row in engine.command, which stays as the audit. */
  id: string;
  /** `queued`: nobody has taken it yet. `taken`: somebody has, and is not done. Neither is withdrawn. */
  outcome: 'done' | 'refused' | 'failed' | 'queued' | 'taken';
  /** One sentence for a person. */
  detail: string;
}

export interface Patience {
  /** Milliseconds until a question that nobody takes is left in the queue. */
  queuedMs: number;
  /** Milliseconds until one that is taken is left to whoever took it. */
  takenMs: number;
}

const patient: Patience = { queuedMs: 5_000, takenMs: 60_000 };
const lookEveryMs = 100;

/** `user@machine` of whoever runs this command. */
export function operatorName(): string {
  return `${userInfo().username}@${hostname()}`;
}

/**
 * Puts a question to the projectors and waits, bounded, for what becomes of it. It is a row: if nobody answers now, it
 * is carried out once a projectors process runs, and asking again would ask twice.
 */
export async function ask(
  pool: Queryable,
  question: Question,
  patience: Patience = patient,
): Promise<Answer> {
  const id = v7();
  await pool.query(
    `INSERT INTO engine.command (id, kind, model, arguments, asked_by) VALUES ($1, $2, $3, $4, $5)`,
    [id, question.kind, question.model, JSON.stringify(question.arguments ?? {}), question.askedBy],
  );
  await pool.query(`SELECT pg_notify('emulsion_control', '')`);
  const began = Date.now();
  for (;;) {
    const { rows } = await pool.query(
      'SELECT outcome, detail, taken_at IS NOT NULL AS taken, done_at IS NOT NULL AS done FROM engine.command WHERE id = $1',
      [id],
    );
    const row = rows[0];
    if (row?.done) return { id, outcome: row.outcome, detail: row.detail ?? '' };
    const waited = Date.now() - began;
    if (row?.taken && waited > patience.takenMs) return { id, outcome: 'taken', detail: stillUnderWay };
    if (!row?.taken && waited > patience.queuedMs)
      return { id, outcome: 'queued', detail: await whyQueued(pool) };
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

const stillUnderWay =
  'A projectors process has taken it and is not done yet; `emulsion projections` shows what it does.';

async function whyQueued(pool: Queryable): Promise<string> {
  const { rows } = await pool.query(
    `SELECT EXISTS (SELECT FROM engine.member
       WHERE process LIKE 'projectors%' AND seen_at > now() - interval '10 seconds') AS runs`,
  );
  return rows[0].runs
    ? 'The projectors have not taken it yet; it stays queued and is carried out when they do.'
    : 'No projectors process is running; it stays queued and is carried out when one starts.';
}
