import { type Found, ok, warn, wrong } from './finding.ts';
import type { Patient } from './patient.ts';

/** Milliseconds beyond what the question itself took. */
const limits = { warn: 500, wrong: 5_000 };

interface Reading {
  /** Their clock. */
  at: number;
  /** Ours, before and after. */
  from: number;
  to: number;
}

/** Event time is the clock of whoever took the command, so clocks that differ let later acts lose to earlier ones. */
export async function checkClocks(patient: Patient): Promise<Found[]> {
  const read = await Promise.all([
    readPostgres(patient).then(compared('Postgres'), () => null),
    readRedis(patient).then(compared('Redis'), () => null),
    readBroker(patient).then(compared('the broker'), () => null),
  ]);
  const found = read.filter((one) => one !== null);
  if (found.length > 0) return found;
  return [warn('nobody to compare with answers', 'See what is wrong above.')];
}

function compared(name: string): (reading: Reading | null) => Found | null {
  return (reading) => reading && compareClock(name, reading);
}

export function compareClock(name: string, { at, from, to }: Reading): Found {
  const uncertain = (to - from) / 2;
  const off = at - (from + uncertain);
  const beyond = Math.abs(off) - uncertain;
  if (beyond <= limits.warn) return ok(`agrees with ${name}`);
  const what = `the clock of ${name} is ${seconds(Math.abs(off))} ${off > 0 ? 'ahead of' : 'behind'} this machine's`;
  const remedy = 'Have both synchronised (chrony, systemd-timesyncd).';
  return beyond > limits.wrong ? wrong(what, remedy) : warn(what, remedy);
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

async function readPostgres({ pool, postgresAnswers }: Patient): Promise<Reading | null> {
  if (!(await postgresAnswers)) return null;
  const from = Date.now();
  const { rows } = await pool.query('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at');
  return { at: rows[0].at, from, to: Date.now() };
}

async function readRedis({ redis, redisAnswers }: Patient): Promise<Reading | null> {
  if (!(await redisAnswers)) return null;
  const from = Date.now();
  const [second, micro] = await redis.time();
  return { at: Number(second) * 1_000 + Number(micro) / 1_000, from, to: Date.now() };
}

async function readBroker({ append }: Patient): Promise<Reading | null> {
  const { appendedAt, sentAt, answeredAt } = await append;
  return appendedAt < 0 ? null : { at: appendedAt, from: sentAt, to: answeredAt };
}
