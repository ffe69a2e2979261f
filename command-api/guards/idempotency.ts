import type { EncodedRecord } from '../../platform/log/appender.ts';
import type { Position, PositionToken } from '../../platform/log/position.ts';
import type { Pool, Queryable } from '../../platform/postgres/pool.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import type { Refusal } from '../../schemas/problems.ts';

/** What one command mints once, whatever happens: a repeat finds the same and so appends the same event. */
export interface Minted {
  eventId: string;
  newId: string;
  /** Event time in milliseconds. */
  time: number;
}

/** Which request this is. actor is '' where nobody is known yet (registration). */
export interface RequestKey {
  actor: string;
  route: string;
  key: string;
}

/** What a request was answered, without tokens and URLs that expire: those are made anew for each repeat. */
export type Answer =
  | { outcome: 'done'; body: unknown; position: PositionToken | null }
  | { outcome: 'refused'; refusal: Refusal };

/** What a command has decided to append, and what it answers when that is in the log. */
export interface Decided {
  outcome: 'decided';
  body: unknown;
  record: EncodedRecord;
}

export type Begun =
  | { state: 'known'; minted: Minted; answer: Answer }
  | { state: 'open'; minted: Minted; decided: Decided | null }
  | { state: 'reused' };

export interface Idempotency {
  /**
   * Stores the request with what is minted and decided for it, or gives what is stored (DESIGN §3): of two at the same
   * time, and of a repeat, the first decides. `canonical` is the request in a form without secrets; another one under
   * the same key is 'reused'.
   */
  begin(
    request: RequestKey,
    canonical: string,
    mint: Minted,
    decided: Decided | Answer | null,
  ): Promise<Begun>;
  /** Keeps the answer for repeats and gives the one to send: of two at the same time, an accepted one stands. */
  settle(request: RequestKey, answer: Answer): Promise<Answer>;
  /** Deletes what is too old to be repeated, in bounded batches. Gives how many rows went. */
  sweep(): Promise<number>;
}

/** Hours a repeat is recognised; DESIGN §3 asks for 24 at least. */
const keptHours = 48;
const sweepBatch = 1_000;
const attempts = 3;

export function openIdempotency(pool: Pool, master: MasterKey): Idempotency {
  const begin: Idempotency['begin'] = async (request, canonical, mint, decided) => {
    const bodyHmac = master.hmac('idempotency', canonical);
    const sealed = seal(master, request, decided);
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      if (await insert(pool, request, bodyHmac, mint, sealed)) return begunWith(mint, decided);
      const row = await find(pool, request);
      // Swept away between the two statements: it is as new as if it had never been.
      if (row) return recognise(row, bodyHmac, request, master);
    }
    throw new Error(`the idempotency row of ${request.route} comes and goes`);
  };

  const settle = async (request: RequestKey, answer: Answer): Promise<Answer> => {
    const { rowCount } = await pool.query(
      `UPDATE vault.idempotency SET answer = $4, decided = NULL
       WHERE actor = $1 AND route = $2 AND key = $3 AND (answer IS NULL OR $5)`,
      [...columns(request), sealAnswer(master, request, answer), answer.outcome === 'done'],
    );
    if (rowCount === 1) return answer;
    const row = await find(pool, request);
    return row?.answer ? openAnswer(master, request, row.answer) : answer;
  };

  const sweep = async (): Promise<number> => {
    const { rowCount } = await pool.query(
      `DELETE FROM vault.idempotency WHERE (actor, route, key) IN (
         SELECT actor, route, key FROM vault.idempotency
         WHERE created_at < now() - make_interval(hours => $1) ORDER BY created_at LIMIT $2)`,
      [keptHours, sweepBatch],
    );
    return rowCount ?? 0;
  };
  return { begin, settle, sweep };
}

interface Row {
  body_hmac: Buffer;
  minted: Minted;
  answer: Buffer | null;
  decided: Buffer | null;
}

async function insert(
  pool: Queryable,
  request: RequestKey,
  bodyHmac: Buffer,
  mint: Minted,
  sealed: { answer?: Buffer; decided?: Buffer },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `INSERT INTO vault.idempotency (actor, route, key, body_hmac, minted, answer, decided)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (actor, route, key) DO NOTHING`,
    [...columns(request), bodyHmac, JSON.stringify(mint), sealed.answer, sealed.decided],
  );
  return rowCount === 1;
}

async function find(pool: Queryable, request: RequestKey): Promise<Row | undefined> {
  const { rows } = await pool.query(
    `SELECT body_hmac, minted, answer, decided FROM vault.idempotency
     WHERE actor = $1 AND route = $2 AND key = $3`,
    columns(request),
  );
  return rows[0];
}

function recognise(row: Row, bodyHmac: Buffer, request: RequestKey, master: MasterKey): Begun {
  if (!row.body_hmac.equals(bodyHmac)) return { state: 'reused' };
  const decided = row.answer
    ? openAnswer(master, request, row.answer)
    : row.decided && openDecided(master, request, row.decided);
  return begunWith(row.minted, decided);
}

/** How a request stands of which so much is decided. */
export function begunWith(
  minted: Minted,
  decided: Decided | Answer | null,
): Exclude<Begun, { state: 'reused' }> {
  if (decided === null || decided.outcome === 'decided') return { state: 'open', minted, decided };
  return { state: 'known', minted, answer: decided };
}

function columns(request: RequestKey): string[] {
  return [request.actor, request.route, request.key];
}

function aadOf(request: RequestKey, kept = 'idempotency'): string {
  return `${kept} ${JSON.stringify(columns(request))}`;
}

function seal(
  master: MasterKey,
  request: RequestKey,
  kept: Decided | Answer | null,
): { answer?: Buffer; decided?: Buffer } {
  if (kept === null) return {};
  if (kept.outcome !== 'decided') return { answer: sealAnswer(master, request, kept) };
  const record = { ...kept.record, value: kept.record.value.toString('base64') };
  const text = JSON.stringify({ ...kept, record });
  return { decided: master.seal(Buffer.from(text), aadOf(request, 'decided')) };
}

function openDecided(master: MasterKey, request: RequestKey, sealed: Buffer): Decided {
  const kept = JSON.parse(master.open(sealed, aadOf(request, 'decided')).toString());
  return { ...kept, record: { ...kept.record, value: Buffer.from(kept.record.value, 'base64') } };
}

function sealAnswer(master: MasterKey, request: RequestKey, answer: Answer): Buffer {
  const text = JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? Number(value) : value));
  return master.seal(Buffer.from(text), aadOf(request));
}

/** A kept answer without its position: in a new generation of the log that place is another record's. */
export function forgetPosition(master: MasterKey, request: RequestKey, sealed: Buffer): Buffer {
  const answer = openAnswer(master, request, sealed);
  return sealAnswer(master, request, answer.outcome === 'done' ? { ...answer, position: null } : answer);
}

function openAnswer(master: MasterKey, request: RequestKey, sealed: Buffer): Answer {
  const answer = JSON.parse(master.open(sealed, aadOf(request)).toString()) as Answer;
  if (answer.outcome === 'refused' || !answer.position) return answer;
  const positions = answer.position.positions.map(
    (position): Position => ({ ...position, offset: BigInt(position.offset) }),
  );
  return { ...answer, position: { ...answer.position, positions } };
}
