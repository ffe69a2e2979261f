import { validate as isUuid } from 'uuid';
import { type ErasedAccount, forgetAccount } from '../../command-api/account/erase.vault.ts';
import { insertOutbox } from '../../command-api/append/outbox.ts';
import type { EncodedRecord } from '../../platform/log/appender.ts';
import { type Codec, openCodec, Undecodable } from '../../platform/log/codec.ts';
import { connectKafka, type Kafka } from '../../platform/log/kafka.ts';
import { readLog, wholeLog } from '../../platform/log/read-log.ts';
import { headerOf, type LogRecord } from '../../platform/log/record.ts';
import { type Client, createPool, transaction } from '../../platform/postgres/pool.ts';
import { readConfig } from '../../platform/process/config.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';

export interface ErasureLog {
  kafka: Kafka;
  prefix: string;
  codec: Codec<Event>;
}

/**
 * Removes from the vault, in the caller's transaction, whoever the log says was erased: rows of a backup may be older
 * than that (DESIGN §9). All of the log is looked at, because nobody knows how old they are. What is gone already stays
 * so. Gives how many accounts had something left.
 */
export async function applyErasures(client: Client, { kafka, prefix, codec }: ErasureLog): Promise<number> {
  let left = 0;
  const stretches = await wholeLog(kafka, prefix, ['user-events']);
  const handle = async (records: LogRecord[]): Promise<void> => {
    const erasures = records.filter(mayBeErasure);
    await codec.prepare(erasures.map((record) => record.value));
    for (const record of erasures) if (await apply(client, codec, record)) left += 1;
  };
  await readLog({ kafka, prefix, stretches, handle });
  return left;
}

/** An erasure that was acknowledged, with its event as it waits in the outbox: the log does not tell of it yet. */
interface WaitingErasure extends ErasedAccount {
  record: EncodedRecord;
}

/** Erasures that only this vault knows of, so that one which takes its place does not forget them. */
export async function readWaitingErasures(client: Client): Promise<WaitingErasure[]> {
  const { rows } = await client.query(
    `SELECT user_id, event_id, topic, key, value, headers, o.created_at
     FROM vault.erasure JOIN vault.outbox o USING (event_id) WHERE o.relayed_at IS NULL ORDER BY o.seq`,
  );
  return rows.map(({ user_id, event_id, created_at, ...record }) => ({
    ...{ userId: user_id, eventId: event_id, time: created_at.getTime() },
    record,
  }));
}

/** Erases them in the vault that is here now, and has their events wait in it. */
export async function bringErasures(client: Client, waiting: readonly WaitingErasure[]): Promise<void> {
  for (const { record, ...account } of waiting) {
    const { rowCount } = await client.query('SELECT FROM vault.outbox WHERE event_id = $1', [
      account.eventId,
    ]);
    if (rowCount === 0) await insertOutbox(client, account.eventId, record);
    await forgetAccount(client, account);
  }
}

/** Says it by its header, which spares decoding all others, or has none. */
function mayBeErasure(record: LogRecord): boolean {
  return (headerOf(record, 'ce_type') || 'UserErased') === 'UserErased';
}

/** The same on the stack of this environment. */
export async function applyErasuresOf(env: Record<string, string | undefined>): Promise<number> {
  const { databaseUrl, kafkaBrokers, prefix, registryUrl } = readConfig(env);
  const pool = createPool(databaseUrl, { name: 'apply-erasures', max: 1, statementTimeoutMs: 0 });
  const log = createLogger('apply-erasures', 'silent');
  const kafka = connectKafka({ brokers: kafkaBrokers, clientId: 'apply-erasures', log });
  try {
    const codec = await openCodec<Event>({ registryUrl, catalog: eventCatalog, prefix });
    return await transaction(pool, (client) => applyErasures(client, { kafka, prefix, codec }));
  } finally {
    await pool.end();
  }
}

async function apply(client: Client, codec: Codec<Event>, record: LogRecord): Promise<boolean> {
  const event = decoded(codec, record);
  if (event?.type !== 'UserErased') return false;
  const userId = String(event.fields.userId);
  // No account has such an id, and models park it.
  if (!isUuid(userId) || !isUuid(event.meta.id)) return false;
  const { rows } = await client.query(
    `SELECT EXISTS (SELECT FROM vault.data_key WHERE owner = $1)
       OR EXISTS (SELECT FROM vault.credential WHERE user_id = $1::uuid) AS left`,
    [userId],
  );
  await forgetAccount(client, { userId, eventId: event.meta.id, time: event.meta.time });
  return rows[0].left;
}

/** null for what no model can decode either: they park it, and an operator is told. */
function decoded(codec: Codec<Event>, record: LogRecord) {
  try {
    return codec.decode(record.value);
  } catch (error) {
    if (error instanceof Undecodable) return null;
    throw error;
  }
}
