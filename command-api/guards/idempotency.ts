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

export type Begun =
  | { state: 'known'; minted: Minted; answer: Answer }
  | { state: 'open'; minted: Minted }
  | { state: 'reused' };

export interface Idempotency {
  /**
   * Stores the request with what is minted for it, or gives what is stored (DESIGN §3). `canonical` is the request in
   * a form without secrets; another one under the same key is 'reused'.
   */
  begin(request: RequestKey, canonical: string, mint: Minted): Promise<Begun>;
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
  const begin = async (request: RequestKey, canonical: string, mint: Minted): Promise<Begun> => {
    const bodyHmac = master.hmac('idempotency', canonical);
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      if (await insert(pool, request, bodyHmac, mint)) return { state: 'open', minted: mint };
      const row = await find(pool, request);
      // Swept away between the two statements: it is as new as if it had never been.
      if (row) return recognise(row, bodyHmac, request, master);
    }
    throw new Error(`the idempotency row of ${request.route} comes and goes`);
  };

  const settle = async (request: RequestKey, answer: Answer): Promise<Answer> => {
    const { rowCount } = await pool.query(
      `UPDATE vault.idempotency SET answer = $4
       WHERE actor = $1 AND route = $2 AND key = $3 AND (answer IS NULL OR $5)`,
      [...columns(request), seal(master, request, answer), answer.outcome === 'done'],
    );
    if (rowCount === 1) return answer;
    const row = await find(pool, request);
    return row?.answer ? open(master, request, row.answer) : answer;
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
}

async function insert(
  pool: Queryable,
  request: RequestKey,
  bodyHmac: Buffer,
  mint: Minted,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `INSERT INTO vault.idempotency (actor, route, key, body_hmac, minted) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (actor, route, key) DO NOTHING`,
    [...columns(request), bodyHmac, JSON.stringify(mint)],
  );
  return rowCount === 1;
}

async function find(pool: Queryable, request: RequestKey): Promise<Row | undefined> {
  const { rows } = await pool.query(
    'SELECT body_hmac, minted, answer FROM vault.idempotency WHERE actor = $1 AND route = $2 AND key = $3',
    columns(request),
  );
  return rows[0];
}

function recognise(row: Row, bodyHmac: Buffer, request: RequestKey, master: MasterKey): Begun {
  if (!row.body_hmac.equals(bodyHmac)) return { state: 'reused' };
  if (!row.answer) return { state: 'open', minted: row.minted };
  return { state: 'known', minted: row.minted, answer: open(master, request, row.answer) };
}

function columns(request: RequestKey): string[] {
  return [request.actor, request.route, request.key];
}

function aadOf(request: RequestKey): string {
  return `idempotency ${JSON.stringify(columns(request))}`;
}

function seal(master: MasterKey, request: RequestKey, answer: Answer): Buffer {
  const text = JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? Number(value) : value));
  return master.seal(Buffer.from(text), aadOf(request));
}

/** A kept answer without its position: in a new generation of the log that place is another record's. */
export function forgetPosition(master: MasterKey, request: RequestKey, sealed: Buffer): Buffer {
  const answer = open(master, request, sealed);
  return seal(master, request, answer.outcome === 'done' ? { ...answer, position: null } : answer);
}

function open(master: MasterKey, request: RequestKey, sealed: Buffer): Answer {
  const answer = JSON.parse(master.open(sealed, aadOf(request)).toString()) as Answer;
  if (answer.outcome === 'refused' || !answer.position) return answer;
  const positions = answer.position.positions.map(
    (position): Position => ({ ...position, offset: BigInt(position.offset) }),
  );
  return { ...answer, position: { ...answer.position, positions } };
}
