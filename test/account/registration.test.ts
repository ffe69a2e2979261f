import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { emailClaim, holdersOf, usernameClaim } from '../../command-api/account/claims.ts';
import type { UserRegistered } from '../../schemas/generated/events.ts';
import { type Client, createClient } from '../harness/client.ts';
import type { Service } from '../harness/services.ts';
import { startWorld, type World } from '../harness/world.ts';
import {
  freshName,
  idsOf,
  inCase,
  openRegistry,
  type Registration,
  type Registry,
  register,
  registerAll,
  registrationOf,
  startArmed,
  tally,
} from './stage.ts';

const crowd = 100;
const oneOfTheName = { '201': 1, '409 username_taken': crowd - 1 };

let world: World;
let registry: Registry;

beforeAll(async () => {
  world = await startWorld({ services: ['command-api'] });
  registry = await openRegistry(world);
});

afterAll(() => world?.stop());

/** A hundred people who want one username, each in letters of another case and with an email of their own. */
function rivalsFor(name: string): Registration[] {
  return Array.from({ length: crowd }, (_, n) => registrationOf(inCase(name, n), `${name}.${n}@example.org`));
}

async function loggedFor(name: string): Promise<UserRegistered[]> {
  const all = await registry.logged();
  return all.filter(({ username }) => username?.toLowerCase() === name);
}

/** One account has the name: in the vault, in the log, and nothing is left of the others. */
async function expectOneHolder(name: string, userId: string, records = 1): Promise<void> {
  expect(await holdersOf(world.owner, [usernameClaim(registry.master, name)])).toEqual([userId]);
  const events = await loggedFor(name);
  expect(new Set(events.map(({ meta }) => meta.id)).size).toBe(1);
  expect(events[0]!.userId).toBe(userId);
  expect(events.length).toBeLessThanOrEqual(records);
  await registry.expectNothingLeftOver();
}

describe('a hundred registrations at once', () => {
  it('of one username, in any case, make one account', async () => {
    const name = freshName();
    const answers = await registerAll(world.api, rivalsFor(name));
    expect(tally(answers)).toEqual(oneOfTheName);
    await expectOneHolder(name, idsOf(answers)[0]!);
  });

  it('of one email address, in any case, make one account', async () => {
    const email = `${freshName()}@example.org`;
    const rivals = Array.from({ length: crowd }, (_, n) => registrationOf(freshName(), inCase(email, n)));
    const answers = await registerAll(world.api, rivals);
    expect(tally(answers)).toEqual({ '201': 1, '409 email_taken': crowd - 1 });
    const [userId] = idsOf(answers);
    expect(await holdersOf(world.owner, [emailClaim(registry.master, email)])).toEqual([userId]);
    const events = (await registry.logged()).filter((event) => event.email?.toLowerCase() === email);
    expect(events.map((event) => event.userId)).toEqual([userId]);
    await registry.expectNothingLeftOver();
  });

  it('of different people make an account each', async () => {
    const answers = await registerAll(
      world.api,
      Array.from({ length: 20 }, () => registrationOf(freshName())),
    );
    expect(tally(answers)).toEqual({ '201': 20 });
    expect(new Set(idsOf(answers)).size).toBe(20);
    await registry.expectNothingLeftOver();
  });

  it('that are one request sent again and again make one account', async () => {
    const registration = registrationOf(freshName());
    const answers = await registerAll(world.api, Array<Registration>(20).fill(registration));
    expect(tally(answers)).toEqual({ '201': 20 });
    expect(new Set(idsOf(answers)).size).toBe(1);
    await expectOneHolder(registration.body.username, idsOf(answers)[0]!);
  });
});

describe('a repeat', () => {
  it('is answered as the first time, and appends nothing', async () => {
    const registration = registrationOf(freshName());
    const first = (await register(world.api, registration))!;
    const again = (await register(world.api, registration))!;
    expect(first.status).toBe(201);
    expect(again.status).toBe(201);
    expect(again.body.user).toEqual(first.body.user);
    expect(again.headers.get('x-position')).toBe(first.headers.get('x-position'));
    await expectOneHolder(registration.body.username, first.body.user.id);
  });

  it('of a refusal is refused the same way', async () => {
    const taken = registrationOf(freshName());
    await register(world.api, taken);
    const late = registrationOf(taken.body.username.toUpperCase(), `${freshName()}@example.org`);
    for (let time = 0; time < 2; time += 1) {
      expect(tally([await register(world.api, late)])).toEqual({ '409 username_taken': 1 });
    }
  });

  it('with another body is refused, whatever differs', async () => {
    const registration = registrationOf(freshName());
    await register(world.api, registration);
    const others = [
      { username: freshName() },
      { fullName: 'Somebody Else' },
      { password: 'Another-horse-9' },
    ];
    for (const other of others) {
      const answer = await register(world.api, { ...registration, body: { ...registration.body, ...other } });
      expect(tally([answer])).toEqual({ '422 idempotency_key_reused': 1 });
    }
    await registry.expectNothingLeftOver();
  });

  it('needs a key, so a registration without one is refused', async () => {
    const { body } = registrationOf(freshName());
    const answer = await world.api.call('POST', '/api/auth/register', { body });
    expect(tally([answer])).toEqual({ '400 idempotency_key_missing': 1 });
    expect(await holdersOf(world.owner, [usernameClaim(registry.master, body.username)])).toEqual([null]);
  });
});

describe('command-api killed', () => {
  // After the append the record may be there twice, with one id: a consumer takes it once.
  it.each([
    ['register.between-claim-and-append', 1],
    ['relay.before-append', 1],
    ['relay.between-append-and-mark', 2],
  ])('at %s leaves one account, once everything is repeated', async (point, records) => {
    const service = world.services['command-api'];
    const name = freshName();
    const rivals = rivalsFor(name);
    const { reached } = await startArmed(service, point, 'kill');
    const cut = await registerAll(world.api, rivals);
    await Promise.all([reached(), service.ended()]);
    expect(idsOf(cut)).toEqual([]);
    const [holder] = await holdersOf(world.owner, [usernameClaim(registry.master, name)]);
    expect(holder).toEqual(expect.any(String));

    await service.start();
    const answers = await registerAll(world.api, rivals);
    expect(tally(answers)).toEqual(oneOfTheName);
    expect(idsOf(answers)).toEqual([holder]);
    await expectOneHolder(name, holder!, records);
  });

  it('before the claim is committed leaves neither a claim nor an event', async () => {
    const service = world.services['command-api'];
    const registration = registrationOf(freshName());
    const before = (await registry.logged()).length;
    const { reached } = await startArmed(service, 'register.claimed', 'kill');
    expect(await register(world.api, registration)).toBeNull();
    await Promise.all([reached(), service.ended()]);
    await service.start();
    await vi.waitFor(async () => expect(await waitingEvents()).toBe(0), { timeout: 10_000 });
    expect(
      await holdersOf(world.owner, [usernameClaim(registry.master, registration.body.username)]),
    ).toEqual([null]);
    expect(await registry.logged()).toHaveLength(before);
  });

  it('between claim and append leaves an event that reaches the log by itself', async () => {
    const service = world.services['command-api'];
    const registration = registrationOf(freshName());
    const { reached } = await startArmed(service, 'register.between-claim-and-append', 'kill');
    expect(await register(world.api, registration)).toBeNull();
    await Promise.all([reached(), service.ended()]);
    expect(await loggedFor(registration.body.username)).toEqual([]);
    await service.start();
    await vi.waitFor(async () => expect(await waitingEvents()).toBe(0), { timeout: 10_000 });
    expect(await loggedFor(registration.body.username)).toHaveLength(1);
  });
});

describe('command-api frozen, with a second one beside it', () => {
  let second: Service;
  let throughSecond: Client;

  beforeAll(async () => {
    second = await world.another('command-api');
    await second.start();
    throughSecond = createClient({ ...world.services, 'command-api': second });
  });

  it('between claim and append: the second one finishes, and the first finds it done', async () => {
    const name = freshName();
    const rivals = rivalsFor(name);
    const frozen = await freeze('register.between-claim-and-append', rivals);
    const answers = await registerAll(throughSecond, rivals);
    expect(tally(answers)).toEqual(oneOfTheName);
    const [holder] = idsOf(answers);
    await frozen.thaw(holder!);
    await expectSettled(name, rivals, holder!);
  });

  it('with the relay in its hand: the second one says that the outcome is unknown, until the first goes on', async () => {
    const name = freshName();
    const rivals = rivalsFor(name);
    const frozen = await freeze('relay.before-append', rivals);
    const answers = await registerAll(throughSecond, rivals);
    expect(tally(answers)).toEqual({ '503 outcome_unknown': 1, '409 username_taken': crowd - 1 });
    const [holder] = await holdersOf(world.owner, [usernameClaim(registry.master, name)]);
    await frozen.thaw(holder!);
    await expectSettled(name, rivals, holder!);
  });

  /** Sends everything to a process that freezes at that point. */
  async function freeze(point: string, rivals: Registration[]) {
    const service = world.services['command-api'];
    const { reached } = await startArmed(service, point, 'freeze');
    const late = registerAll(world.api, rivals);
    await reached();
    return {
      /** Lets it go on. What it still answers agrees with what others were told; its timeouts may be over. */
      async thaw(holder: string): Promise<void> {
        service.signal('SIGCONT');
        const answers = await late;
        for (const id of idsOf(answers)) expect(id).toBe(holder);
        const allowed = ['201', '409 username_taken', '503 outcome_unknown', '503 dependency_unavailable'];
        expect(allowed).toEqual(expect.arrayContaining(Object.keys(tally(answers))));
      },
    };
  }

  /** Everything repeated, at both processes. */
  async function expectSettled(name: string, rivals: Registration[], holder: string): Promise<void> {
    for (const api of [world.api, throughSecond]) {
      const answers = await registerAll(api, rivals);
      expect(tally(answers)).toEqual(oneOfTheName);
      expect(idsOf(answers)).toEqual([holder]);
    }
    await expectOneHolder(name, holder);
  }
});

async function waitingEvents(): Promise<number> {
  const { rows } = await world.owner.query(
    'SELECT count(*)::int AS n FROM vault.outbox WHERE relayed_at IS NULL',
  );
  return rows[0].n;
}
