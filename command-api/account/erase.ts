import { ProblemError } from '../../platform/errors/problem.ts';
import type { Codec } from '../../platform/log/codec.ts';
import type { PositionToken } from '../../platform/log/position.ts';
import { type Client, type Pool, sqlState, transaction } from '../../platform/postgres/pool.ts';
import { crashPoint } from '../../platform/process/crash-points.ts';
import type { Event, UserErased } from '../../schemas/generated/events.ts';
import type { Clock } from '../append/clock.ts';
import { insertOutbox } from '../append/outbox.ts';
import type { Relay } from '../append/relay.ts';
import { type CommandRequest, contextOf, mintFor } from '../append/request.ts';
import { problem } from '../guards/problem.ts';
import { decideErase } from './erase.decide.ts';
import { forgetAccount } from './erase.vault.ts';
import { type Passwords, passwordHashOf } from './passwords.ts';

export interface EraseShell {
  pool: Pool;
  codec: Codec<Event>;
  relay: Relay;
  clock: Clock;
  passwords: Passwords;
}

const noAccount = 'The account of this token is gone.';
const lookAgain = 'Try again: token_invalid then means that the account is gone.';

/**
 * Erases the account of whoever asks: a guarded command (DESIGN §4). All that the vault has of it is removed, and the
 * event is put into the outbox, in one transaction: from that commit on the account is gone, and the event comes to the
 * log whatever dies. Models, stream and object store follow from the event and from vault.erasure. Gives where the event
 * is. Throws credentials_wrong, token_invalid when it is gone already, outcome_unknown.
 */
export async function eraseAccount(
  shell: EraseShell,
  request: CommandRequest,
  password: string,
): Promise<PositionToken> {
  const { pool, passwords } = shell;
  const hash = await passwordHashOf(pool, request.actor);
  if (hash === null) throw problem('token_invalid', noAccount);
  if (!(await passwords.verify(hash, password))) throw problem('credentials_wrong');
  const event = decideErase(contextOf(request, mintFor(request, shell.clock, 0)));
  const eventId = await forgetAndRecord(shell, event);
  crashPoint('erase.between-claim-and-append');
  const position = await shell.relay.delivered(eventId);
  return { positions: [position], time: event.meta.time };
}

/** Gives the id of the event that erases the account: of two requests at once there is one. */
async function forgetAndRecord({ pool, codec }: EraseShell, event: UserErased): Promise<string> {
  const { userId, meta } = event;
  const work = async (client: Client): Promise<string> => {
    const { rowCount } = await client.query('SELECT FROM vault.credential WHERE user_id = $1 FOR UPDATE', [
      userId,
    ]);
    if (rowCount === 0) return erasedBefore(client, userId);
    await forgetAccount(client, { userId, eventId: meta.id, time: meta.time });
    crashPoint('erase.between-vault-and-outbox');
    await insertOutbox(client, meta.id, codec.encode(event, null));
    return meta.id;
  };
  try {
    return await transaction(pool, work);
  } catch (error) {
    // Without a word of Postgres the commit may have been the last thing it heard.
    if (error instanceof ProblemError || sqlState(error) !== undefined) throw error;
    throw problem('outcome_unknown', lookAgain, error);
  }
}

async function erasedBefore(client: Client, userId: string): Promise<string> {
  const { rows } = await client.query('SELECT event_id FROM vault.erasure WHERE user_id = $1', [userId]);
  if (!rows[0]) throw problem('token_invalid', noAccount);
  return rows[0].event_id;
}
