import { v7 } from 'uuid';
import { failure } from '../../../deploy/native/failure.ts';
import { openAppender } from '../../../platform/log/appender.ts';
import { type Client, transaction } from '../../../platform/postgres/pool.ts';
import { consumerOf } from '../../../platform/postgres/serving.ts';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { lockVersions } from '../../../projectors/engine/versions.ts';
import type { Envelope, EventOf } from '../../../schemas/generated/events.ts';
import { letterId } from '../../../schemas/operator/dead-letter.ts';
import { operatorName } from '../ask.ts';
import { type Audit, writeAudit } from './audit.ts';
import type { Desk } from './desk.ts';
import { type Address, addressOf, type Letter } from './letters.ts';
import { flagKey } from './retry.ts';

/** What an operator decides of one dead letter. */
export interface Verdict {
  letter: Letter;
  /** The record to take instead; null discards it. */
  replacement: Buffer | null;
  reason: string | null;
}

type RulingEvent = EventOf<'DeadLetterEdited'> | EventOf<'DeadLetterDiscarded'>;

/**
 * Rules on letters of one key: the rulings go to the log, then the key is to be tried again. All builds of the model
 * must have the record parked, and nobody may be trying it just now; both are held until the log has the rulings, so
 * whoever applies the record next knows of them. Gives the consumers of those builds.
 */
export async function rule(desk: Desk, verdicts: readonly Verdict[]): Promise<string[]> {
  const { letter } = verdicts[0]!;
  const { prefix, partitions } = desk.config;
  const log = createLogger('dead-letters', 'silent');
  const appender = await openAppender({ kafka: desk.kafka, prefix, partitions, log });
  try {
    return await transaction(desk.pool, async (client) => {
      await client.query(`SET LOCAL lock_timeout = '5s'`);
      await lockVersions(client, letter.model);
      // Again, under the lock: somebody may have ruled since this desk was opened.
      await desk.rulings.refresh();
      const consumers = await buildsOf(client, letter.model);
      await holdKey(client, consumers, letter);
      for (const verdict of verdicts) await mustBeParked(client, consumers, verdict.letter);
      for (const verdict of verdicts) {
        const event = eventOf(desk, verdict);
        await appender.append(desk.codec.encode(event, null));
        await writeAudit(client, auditOf(verdict, event));
      }
      await flagKey(client, consumers, letter);
      return consumers;
    });
  } finally {
    await appender.close();
  }
}

function eventOf({ rulings }: Desk, { letter, replacement, reason }: Verdict): RulingEvent {
  const { model, topic, partition, offset } = letter;
  const meta: Envelope = {
    id: v7(),
    source: '/operator',
    // Newer than the word that it replaces, whatever clock that was said by.
    time: Math.max(Date.now(), (rulings.on(letter).get(model)?.time ?? 0) + 1),
    actor: null,
    correlation: v7().replaceAll('-', ''),
    causation: letter.eventId,
  };
  const place = { letterId: letterId(letter), model, topic, partition, offset: Number(offset) };
  return replacement
    ? { type: 'DeadLetterEdited', meta, ...place, replacement }
    : { type: 'DeadLetterDiscarded', meta, ...place, reason };
}

function auditOf({ letter, replacement, reason }: Verdict, { meta }: RulingEvent): Audit {
  const kind = replacement ? 'edit' : 'discard';
  return {
    kind,
    model: letter.model,
    arguments: {
      letter: addressOf(letter),
      key: letter.key,
      eventId: letter.eventId,
      ruling: meta.id,
      reason,
    },
    askedBy: operatorName(),
    detail: replacement ? 'The edited record takes its place.' : 'The record is never applied.',
  };
}

/** The consumers that project the model; none of it may be under construction. */
async function buildsOf(client: Client, model: string): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT version, state FROM engine.version WHERE model = $1 AND state <> 'dropping' ORDER BY version`,
    [model],
  );
  const filling = rows.find(({ state }) => state === 'filling');
  if (filling)
    throw failure(
      `Version ${filling.version} of ${model} is being built, and knows the rulings of when that began.`,
      `Wait until emulsion projections says that it is done, or end it with emulsion cancel ${model}.`,
    );
  return rows.length > 0 ? rows.map(({ version }) => consumerOf(model, version)) : [model];
}

/** Nobody asks for a retry of the key from here to the end of the transaction; none may be under way. */
async function holdKey(client: Client, consumers: readonly string[], letter: Letter): Promise<void> {
  const { rows } = await client.query(
    `SELECT retry FROM engine.parked WHERE consumer = ANY($1) AND topic = $2 AND partition = $3 AND key = $4
     ORDER BY consumer, "offset" FOR UPDATE`,
    [consumers, letter.topic, letter.partition, letter.key],
  );
  if (!rows.some(({ retry }) => retry)) return;
  throw failure(
    `The key ${letter.key} is being tried again just now.`,
    'See with npx emulsion dead-letters list how that ends.',
  );
}

async function mustBeParked(client: Client, consumers: readonly string[], place: Address): Promise<void> {
  const { rows } = await client.query(
    `SELECT c.consumer, p.position > $4 AS passed FROM unnest($1::text[]) AS c (consumer)
     LEFT JOIN engine.position p ON p.consumer = c.consumer AND p.topic = $2 AND p.partition = $3
     WHERE NOT EXISTS (SELECT FROM engine.parked k WHERE k.consumer = c.consumer AND k.topic = $2 AND k.partition = $3
       AND k."offset" = $4)`,
    [consumers, place.topic, place.partition, place.offset.toString()],
  );
  const [open] = rows;
  if (!open) return;
  if (open.passed)
    throw failure(
      `${open.consumer} has applied ${addressOf(place)}, and what is applied is not taken back.`,
      'Try it again as it is where it is still parked, or drop that build with emulsion drop.',
    );
  throw failure(
    `${open.consumer} has not come to ${addressOf(place)} yet.`,
    'Wait until it has: emulsion projections says how far it is.',
  );
}
