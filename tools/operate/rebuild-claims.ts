import { validate as isUuid } from 'uuid';
import { emailClaim, usernameClaim } from '../../command-api/account/claims.ts';
import { type Codec, openCodec, type SealedEvent, Undecodable } from '../../platform/log/codec.ts';
import type { LogRecord } from '../../platform/log/intake.ts';
import { connectKafka } from '../../platform/log/kafka.ts';
import { readLog, wholeLog } from '../../platform/log/read-log.ts';
import { openRulings, type RuledRecord, underRulings } from '../../platform/log/rulings.ts';
import { storable } from '../../platform/postgres/parked.ts';
import { type Client, createPool } from '../../platform/postgres/pool.ts';
import { readConfig } from '../../platform/process/config.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { loadDataKeys } from '../../platform/vault/data-keys.ts';
import { type MasterKey, openMasterKey } from '../../platform/vault/master-key.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { rulingOf, rulingTopic } from '../../schemas/operator/dead-letter.ts';

export interface RebuiltClaims {
  /** In the log, with a data key. */
  accounts: number;
  /** Their data key is gone, so they claim nothing. */
  erased: number;
  /** Records that no model can read either. They may be registrations: claims of their keys are left alone. */
  unread: number;
  /** Claims before anything changed. */
  before: number;
  missing: number;
  stale: number;
  /** Names that the log gives to one account and the vault, or an older event, to another. */
  conflicts: number;
}

/**
 * Makes active claims again from the log (DESIGN §4), as operators have ruled for the model of accounts: what an account
 * of the log holds and the vault does not is written; a claim without an event and without an outbox row, older than
 * this run, is removed. The fold is kept in a temporary table, so memory stays the same however many accounts there are.
 * `env` is that of the stack.
 */
export async function rebuildClaims(
  env: Record<string, string | undefined>,
  options: { write: boolean },
): Promise<RebuiltClaims> {
  const config = readConfig(env);
  const master = openMasterKey(config.masterKeyFile);
  const pool = createPool(config.databaseUrl, {
    name: 'rebuild-claims',
    max: 1,
    statementTimeoutMs: 600_000,
  });
  const log = createLogger('rebuild-claims', 'silent');
  const kafka = connectKafka({ brokers: config.kafkaBrokers, clientId: 'rebuild-claims', log });
  const { registryUrl, prefix } = config;
  try {
    const codec = await openCodec<Event>({ registryUrl, catalog: eventCatalog, prefix });
    const rulings = openRulings({ kafka, prefix, codec, topic: rulingTopic, rulingOf });
    await rulings.refresh();
    const client = await pool.connect();
    try {
      const fold = await openFold(client, { codec, master, ruled: rulings.of('accounts') });
      const stretches = await wholeLog(kafka, prefix, ['user-events']);
      await readLog({ kafka, prefix, stretches, handle: fold.take });
      return await settle(client, options.write);
    } finally {
      client.release();
    }
  } finally {
    await pool.end();
  }
}

interface FoldContext {
  codec: Codec<Event>;
  master: MasterKey;
  ruled: RuledRecord | null;
}

/** Decrypts registrations batch by batch and keeps only what they claim. */
async function openFold(client: Client, { codec, master, ruled }: FoldContext) {
  await client.query(`CREATE TEMPORARY TABLE folded (
    kind text, value_hmac bytea, user_id uuid, event_time bigint, event_id uuid)`);
  await client.query('CREATE TEMPORARY TABLE erased (user_id uuid)');
  await client.query('CREATE TEMPORARY TABLE unread (key text)');
  // Claims that are made while this runs are left alone.
  await client.query('CREATE TEMPORARY TABLE began AS SELECT clock_timestamp() AS at');
  const take = async (logged: LogRecord[]): Promise<void> => {
    const records = underRulings(ruled, logged);
    await codec.prepare(records.map((record) => record.value));
    const unread: string[] = [];
    const registered = readEach(records, unread, ({ key, value }) => {
      const sealed = codec.decode(value);
      return sealed.type === 'UserRegistered' ? [{ key, sealed: ofAnAccount(sealed) }] : [];
    });
    const owners = registered.map(({ sealed }) => sealed.owner!);
    const keys = await loadDataKeys(client, master, owners, { share: false });
    const gone = owners.filter((owner) => !keys.has(owner));
    await client.query('INSERT INTO erased SELECT unnest($1::uuid[])', [gone]);
    const known = registered.filter(({ sealed }) => keys.has(sealed.owner!));
    const events = readEach(known, unread, ({ sealed }) => [
      codec.reveal(sealed, (owner) => keys.get(owner)),
    ]);
    await insertFolded(client, events, master);
    await client.query('INSERT INTO unread SELECT unnest($1::text[])', [unread]);
  };
  return { take };
}

async function insertFolded(client: Client, events: Event[], master: MasterKey): Promise<void> {
  const rows = events.flatMap((event) => {
    if (event.type !== 'UserRegistered' || event.username === null || event.email === null) return [];
    const claims = [usernameClaim(master, event.username), emailClaim(master, event.email)];
    return claims.map((claim) => ({ ...claim, userId: event.userId, meta: event.meta }));
  });
  await client.query(
    `INSERT INTO folded SELECT * FROM unnest($1::text[], $2::bytea[], $3::uuid[], $4::bigint[], $5::uuid[])`,
    [
      rows.map((row) => row.kind),
      rows.map((row) => row.hmac),
      rows.map((row) => row.userId),
      rows.map((row) => Number(row.meta.time)),
      rows.map((row) => row.meta.id),
    ],
  );
}

/** What these say; of those that no retry will ever read, which models park, the keys go to `unread`. */
function readEach<T extends { key: string }, R>(
  all: readonly T[],
  unread: string[],
  read: (one: T) => R[],
): R[] {
  return all.flatMap((one) => {
    try {
      return read(one);
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      unread.push(storable(one.key));
      return [];
    }
  });
}

/** Throws Undecodable for ids that no table takes. */
function ofAnAccount(registered: SealedEvent): SealedEvent {
  if (isUuid(registered.owner) && isUuid(registered.meta.id)) return registered;
  throw new Undecodable('its ids are none');
}

/** The name of somebody erased is held for a while, though nothing tells it any more. */
const staleClaims = `FROM vault.claim c WHERE c.claimed_at < (SELECT at FROM began) AND c.free_at IS NULL
  AND NOT EXISTS (SELECT FROM folded f WHERE (f.kind, f.value_hmac, f.user_id) = (c.kind, c.value_hmac, c.user_id))
  AND NOT EXISTS (SELECT FROM vault.outbox o WHERE o.topic = 'user-events' AND o.key = c.user_id::text)
  AND NOT EXISTS (SELECT FROM unread u WHERE u.key = c.user_id::text)`;

/** Of two accounts with one name the older event holds it. */
const holders = `SELECT DISTINCT ON (kind, value_hmac) kind, value_hmac, user_id
  FROM folded ORDER BY kind, value_hmac, event_time, event_id`;

/** All changes in one transaction; without `write` it is rolled back, so that both ways count the same. */
async function settle(client: Client, write: boolean): Promise<RebuiltClaims> {
  await client.query('BEGIN');
  try {
    const accounts = await count(client, 'SELECT count(DISTINCT user_id) FROM folded');
    const erased = await count(client, 'SELECT count(DISTINCT user_id) FROM erased');
    const unread = await count(client, 'SELECT count(*) FROM unread');
    const before = await count(client, 'SELECT count(*) FROM vault.claim');
    const stale = await client.query(`DELETE ${staleClaims}`);
    const missing = await client.query(
      `INSERT INTO vault.claim (kind, value_hmac, user_id) ${holders} ON CONFLICT (kind, value_hmac) DO NOTHING`,
    );
    const conflicts = await count(
      client,
      `SELECT count(*) FROM folded f JOIN vault.claim c USING (kind, value_hmac) WHERE c.user_id <> f.user_id`,
    );
    await client.query(write ? 'COMMIT' : 'ROLLBACK');
    return {
      accounts,
      erased,
      unread,
      before,
      missing: missing.rowCount ?? 0,
      stale: stale.rowCount ?? 0,
      conflicts,
    };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

async function count(client: Client, sql: string): Promise<number> {
  const { rows } = await client.query(sql);
  return rows[0].count;
}
