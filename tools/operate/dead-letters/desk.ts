import { failure } from '../../../deploy/native/failure.ts';
import { type Codec, openCodec, type SealedEvent, Undecodable } from '../../../platform/log/codec.ts';
import { connectKafka, type Kafka } from '../../../platform/log/kafka.ts';
import { openRulings, type Rulings } from '../../../platform/log/rulings.ts';
import type { Pool } from '../../../platform/postgres/pool.ts';
import type { Config } from '../../../platform/process/config.ts';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { type MasterKey, openMasterKey } from '../../../platform/vault/master-key.ts';
import { type Event, eventCatalog } from '../../../schemas/generated/events.ts';
import { rulingOf, rulingTopic } from '../../../schemas/operator/dead-letter.ts';
import { type Operator, withOperator } from '../connect.ts';
import type { Letter } from './letters.ts';

/** What reading and ruling on dead letters needs. */
export interface Desk {
  config: Config;
  pool: Pool;
  kafka: Kafka;
  codec: Codec<Event>;
  master: MasterKey;
  /** As the log has them now. */
  rulings: Rulings;
}

/** Opens a desk for as long as `work` takes; says in a sentence which server does not answer. */
export function withDesk<T>(
  env: Record<string, string | undefined>,
  work: (desk: Desk) => Promise<T>,
): Promise<T> {
  return withOperator(env, async (operator) => work(await openDesk(operator)));
}

async function openDesk({ config, pool }: Operator): Promise<Desk> {
  const { prefix, registryUrl } = config;
  const log = createLogger('dead-letters', 'silent');
  const kafka = connectKafka({ brokers: config.kafkaBrokers, clientId: 'emulsion-dead-letters', log });
  const codec = await openCodec<Event>({ registryUrl, catalog: eventCatalog, prefix }).catch(unreachable);
  const rulings = openRulings({ kafka, prefix, codec, topic: rulingTopic, rulingOf });
  await rulings.refresh().catch(unreachable);
  return { config, pool, kafka, codec, rulings, master: openMasterKey(config.masterKeyFile) };
}

function unreachable(error: Error): never {
  throw failure(
    `The log or its schema registry does not answer: ${error.message}`,
    'See what is wrong with npx emulsion doctor.',
    error,
  );
}

/** What a model takes for a parked record now: the event, why it does not decode, or that it was discarded. */
export type Content =
  | { is: 'event'; sealed: SealedEvent; edited: boolean }
  | { is: 'undecodable'; why: string }
  | { is: 'discarded' };

export async function contentOf({ rulings, codec }: Desk, letter: Letter): Promise<Content> {
  const { topic, partition, offset, key, value } = letter;
  const record = { topic, partition, offset, key, value, headers: {} };
  const rule = rulings.of(letter.model);
  const now = (rule ? rule(record) : record)?.value;
  if (!now) return { is: 'discarded' };
  try {
    await codec.prepare([now]);
    return { is: 'event', sealed: codec.decode(now), edited: now !== value };
  } catch (error) {
    if (error instanceof Undecodable) return { is: 'undecodable', why: error.message };
    throw error;
  }
}
