import { v7 } from 'uuid';
import { signAccess } from '../../command-api/account/sessions.ts';
import { openSigningKey } from '../../command-api/account/signing-key.ts';
import { createDataKey } from '../../platform/vault/data-keys.ts';
import { type MasterKey, openMasterKey } from '../../platform/vault/master-key.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { eachOf } from '../load/each.ts';
import { createRandom, type Random } from '../load/random.ts';
import { epochMs, idAt } from './likes.ts';
import type { BenchWorld } from './world.ts';

/** Somebody of a bench's world; the bench knows their name. */
export interface Member {
  userId: string;
  username: string;
}

/** So many people; the same for the same seed. */
export function createMembers(count: number, seed: string): Member[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, n) => ({
    userId: idAt(random, epochMs - 10_000_000 + n),
    username: `${seed}_${n}`,
  }));
}

/** At once, on the owner's few connections. */
const keysAtOnce = 6;

/** The events of their registration, and the data keys that what they write is under. No password is hashed. */
export async function registerMembers(
  world: BenchWorld,
  members: readonly Member[],
): Promise<{ events: Event[]; dataKeys: Map<string, Buffer> }> {
  const master = masterOf(world);
  const dataKeys = new Map<string, Buffer>();
  await eachOf(members.length, keysAtOnce, async (index) => {
    const { userId } = members[index]!;
    dataKeys.set(userId, await createDataKey(world.owner, master, userId));
  });
  const random = createRandom('registrations');
  return {
    events: members.map((member, n) => registration(member, random, epochMs - 10_000_000 + n)),
    dataKeys,
  };
}

function registration({ userId, username }: Member, random: Random, time: number): Event {
  const id = idAt(random, time);
  return {
    type: 'UserRegistered',
    meta: {
      ...{ id, source: '/command-api', time, actor: userId },
      ...{ correlation: id.replaceAll('-', ''), causation: null },
    },
    ...{ userId, username, email: `${username}@example.org`, fullName: `Person ${username}` },
    ...{ dateOfBirth: '1990-05-17', gender: null },
  };
}

/** Longer than any bench. */
const tokenSeconds = 4 * 3_600;

/** Access tokens as a login gives them, without the password whose hash a login takes its time for. */
export async function openTokens(world: BenchWorld): Promise<(userId: string) => string> {
  const signing = await openSigningKey(world.owner, masterOf(world));
  return (userId) => signAccess({ sessionId: v7(), userId }, signing, world.env.PUBLIC_URL!, tokenSeconds);
}

function masterOf({ env }: BenchWorld): MasterKey {
  return openMasterKey(env.EMULSION_MASTER_KEY_FILE!);
}
