import type { z } from 'zod';
import type { Codec } from '../../platform/log/codec.ts';
import type { PositionToken } from '../../platform/log/position.ts';
import { type Client, type Pool, sqlState, transaction } from '../../platform/postgres/pool.ts';
import { crashPoint } from '../../platform/process/crash-points.ts';
import { createDataKey } from '../../platform/vault/data-keys.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import type { Event, UserRegistered } from '../../schemas/generated/events.ts';
import { isRefusal } from '../../schemas/problems.ts';
import type { Account } from '../../schemas/shapes.ts';
import type { Clock } from '../append/clock.ts';
import { insertOutbox } from '../append/outbox.ts';
import type { Relay } from '../append/relay.ts';
import { type CommandRequest, contextOf, mintFor, onceRequestOf } from '../append/request.ts';
import type { Answer, Idempotency, Minted } from '../guards/idempotency.ts';
import { once } from '../guards/once.ts';
import { problem } from '../guards/problem.ts';
import { type Claim, emailClaim, holdersOf, takeClaims, usernameClaim } from './claims.ts';
import { type Passwords, passwordHashOf } from './passwords.ts';
import { decideRegister, type RegisterCommand } from './user.decide.ts';

/** What somebody wrote of themselves, as they are told it back. */
export type AccountBody = z.infer<typeof Account>;

export interface RegisterShell {
  pool: Pool;
  master: MasterKey;
  codec: Codec<Event>;
  relay: Relay;
  clock: Clock;
  idempotency: Idempotency;
  passwords: Passwords;
}

export interface Registered {
  body: AccountBody;
  position: PositionToken | null;
  /** false when an earlier try of the same request made the account. */
  created: boolean;
}

/** Milliseconds (as SQL reads it) that one waits for another registration of the same name. */
const claimLockTimeout = '5s';
const anotherUnderWay = 'Another registration of this name is under way; try again.';
const repeatIt = 'Repeat the request with the same Idempotency-Key.';
/** SQLSTATE: the lock was not to be had within lock_timeout. */
const lockNotAvailable = '55P03';

/**
 * Makes an account: a guarded command (DESIGN §4). The claims on username and email, the credential, the data key and
 * the encoded event are one vault transaction; the relay brings the event to the log and the request waits for that.
 * Who comes too late is told before anything is hashed. A repeat under the same Idempotency-Key finds its own claims
 * and waits for the same event. Throws username_taken, email_taken, outcome_unknown.
 */
export async function registerAccount(
  shell: RegisterShell,
  request: CommandRequest,
  command: RegisterCommand,
  password: string,
): Promise<Registered> {
  const attempt = openAttempt(shell, request, command, password);
  const mint = mintFor(request, shell.clock, 0);
  const done = await once(shell.idempotency, onceRequestOf(request, mint, null), attempt.execute);
  if (!attempt.created()) await verifyRepeat(shell, done.minted.newId, password);
  return { body: done.body as AccountBody, position: done.position, created: attempt.created() };
}

function openAttempt(
  shell: RegisterShell,
  request: CommandRequest,
  command: RegisterCommand,
  password: string,
) {
  const claims = [usernameClaim(shell.master, command.username), emailClaim(shell.master, command.email)];
  let created = false;

  const decide = async (minted: Minted) => {
    const [usernameHolder = null, emailHolder = null] = await holdersOf(shell.pool, claims);
    const decision = decideRegister(
      { usernameHolder, emailHolder },
      command,
      contextOf(request, minted, minted.newId),
    );
    return { decision, claimed: usernameHolder === minted.newId };
  };
  const execute = async (minted: Minted): Promise<Answer> => {
    const first = await decide(minted);
    if (!isRefusal(first.decision) && !first.claimed) {
      const event = first.decision;
      const stillWanted = async () => !isRefusal((await decide(minted)).decision);
      const hash = await shell.passwords.hash(password, stillWanted);
      if (hash !== null) created = await claimAll(shell, claims, event, hash);
      if (created) crashPoint('register.between-claim-and-append');
    }
    // Whoever was faster, perhaps a repeat of this very request, has settled it by now.
    const settled = created ? first : await decide(minted);
    if (isRefusal(settled.decision)) return { outcome: 'refused', refusal: settled.decision };
    const position = await shell.relay.delivered(minted.eventId);
    const token = { positions: [position], time: minted.time };
    return { outcome: 'done', body: bodyOf(settled.decision), position: token };
  };
  return { execute, created: () => created };
}

/** All of it or nothing, in one transaction; false when one of the names was taken meanwhile. */
async function claimAll(
  shell: RegisterShell,
  claims: Claim[],
  event: UserRegistered,
  hash: string,
): Promise<boolean> {
  const { userId } = event;
  const work = async (client: Client): Promise<void> => {
    await client.query(`SET LOCAL lock_timeout = '${claimLockTimeout}'`);
    if ((await takeClaims(client, claims, userId)) !== claims.length) throw new Taken();
    await client.query('INSERT INTO vault.credential (user_id, password_hash) VALUES ($1, $2)', [
      userId,
      hash,
    ]);
    const dataKey = await createDataKey(client, shell.master, userId);
    await insertOutbox(client, event.meta.id, shell.codec.encode(event, dataKey));
    crashPoint('register.claimed');
  };
  try {
    await transaction(shell.pool, work);
    return true;
  } catch (error) {
    if (error instanceof Taken) return false;
    const state = sqlState(error);
    if (state === lockNotAvailable) throw problem('dependency_unavailable', anotherUnderWay, error);
    // Without a word of Postgres the commit may have been the last thing it heard.
    if (state === undefined) throw problem('outcome_unknown', repeatIt, error);
    throw error;
  }
}

/** Rolls the transaction back: of two names, neither is claimed. */
class Taken extends Error {}

/** The password is not in what a repeat is recognised by, so it is checked before a session is opened for it. */
async function verifyRepeat(shell: RegisterShell, userId: string, password: string): Promise<void> {
  if (await shell.passwords.verify(await passwordHashOf(shell.pool, userId), password)) return;
  throw problem('idempotency_key_reused', 'The password is another than in the first request.');
}

function bodyOf(event: UserRegistered): AccountBody {
  return {
    id: event.userId,
    username: event.username!,
    fullName: event.fullName!,
    bio: '',
    website: null,
    isPrivate: false,
    email: event.email!,
    dateOfBirth: event.dateOfBirth!,
    gender: event.gender,
    avatarMediaId: null,
  };
}
