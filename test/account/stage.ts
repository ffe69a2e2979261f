import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { openCodec } from '../../platform/log/codec.ts';
import { loadDataKeys } from '../../platform/vault/data-keys.ts';
import { type MasterKey, openMasterKey } from '../../platform/vault/master-key.ts';
import { type Event, eventCatalog, type UserRegistered } from '../../schemas/generated/events.ts';
import type { Answer, Client } from '../harness/client.ts';
import { readTopic } from '../harness/log.ts';
import type { Service } from '../harness/services.ts';
import type { World } from '../harness/world.ts';

/** One registration as a client sends it, as often as it takes, always under its own key. */
export interface Registration {
  key: string;
  body: { username: string; email: string; password: string; fullName: string; dateOfBirth: string };
}

/** A name that this run alone has. */
export function freshName(): string {
  return `n_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
}

export function registrationOf(username: string, email = `${username}@example.org`): Registration {
  const body = {
    username,
    email,
    password: 'Correct-horse-9',
    fullName: 'Somebody Real',
    dateOfBirth: '1990-05-17',
  };
  return { key: randomUUID(), body };
}

/** The same letters in another case for each n below 128. */
export function inCase(name: string, n: number): string {
  return [...name].map((letter, i) => ((n >> (i % 7)) & 1 ? letter.toUpperCase() : letter)).join('');
}

/** null when the connection broke before an answer came. */
export function register(api: Client, { key, body }: Registration): Promise<Answer | null> {
  return api
    .call('POST', '/api/auth/register', { headers: { 'idempotency-key': key }, body })
    .catch(() => null);
}

export function registerAll(api: Client, registrations: Registration[]): Promise<(Answer | null)[]> {
  return Promise.all(registrations.map((registration) => register(api, registration)));
}

/** How many answers there were of each kind: a status, and the code of a refusal. */
export function tally(answers: (Answer | null)[]): Record<string, number> {
  const kinds = answers.map((answer) => {
    if (answer === null) return 'no answer';
    return answer.status === 201 ? '201' : `${answer.status} ${answer.body.code}`;
  });
  const counts = Map.groupBy(kinds, (kind) => kind);
  return Object.fromEntries([...counts].map(([kind, those]) => [kind, those.length]));
}

/** User ids of those who were told that they have an account now. */
export function idsOf(answers: (Answer | null)[]): string[] {
  return answers.filter((answer) => answer?.status === 201).map((answer) => answer!.body.user.id);
}

export interface Registry {
  master: MasterKey;
  /** Every record of a registration in the log, in clear; a record that is there twice is here twice. */
  logged(): Promise<UserRegistered[]>;
  /** Holds the vault to the log: two claims, a password and a data key for each account, and nothing of anybody else. */
  expectNothingLeftOver(): Promise<void>;
}

export async function openRegistry(world: World): Promise<Registry> {
  const { env, prefix, owner, kafka } = world;
  const master = openMasterKey(env.EMULSION_MASTER_KEY_FILE!);
  const codec = await openCodec<Event>({
    registryUrl: env.SCHEMA_REGISTRY_URL!,
    catalog: eventCatalog,
    prefix,
  });
  const logged = async (): Promise<UserRegistered[]> => {
    const records = await readTopic(kafka, `${prefix}user-events`);
    const sealed = records.filter(({ type }) => type === 'UserRegistered');
    await codec.prepare(sealed.map(({ value }) => value));
    const keys = await loadDataKeys(
      owner,
      master,
      sealed.map(({ key }) => key),
      { share: false },
    );
    return sealed.map(
      ({ value }) => codec.reveal(codec.decode(value), (id) => keys.get(id)) as UserRegistered,
    );
  };
  return {
    master,
    logged,
    async expectNothingLeftOver() {
      const accounts = new Set((await logged()).map(({ userId }) => userId)).size;
      const { rows } = await owner.query(
        `SELECT (SELECT count(*)::int FROM vault.claim) AS claims,
           (SELECT count(*)::int FROM vault.credential) AS passwords,
           (SELECT count(*)::int FROM vault.data_key) AS keys,
           (SELECT count(*)::int FROM vault.outbox) AS events,
           (SELECT count(*)::int FROM vault.outbox WHERE relayed_at IS NULL) AS waiting`,
      );
      expect(rows[0]).toEqual({
        claims: 2 * accounts,
        passwords: accounts,
        keys: accounts,
        events: accounts,
        waiting: 0,
      });
    },
  };
}

/** Starts the service with this crash point armed; resolves with a promise of its being reached. */
export async function startArmed(service: Service, point: string, mode: 'kill' | 'freeze') {
  await service.stop();
  const line = `crash point ${point}`;
  const times = (): number => readFileSync(service.logFile, 'utf8').split(line).length;
  const before = times();
  await service.start({ EMULSION_CRASH_POINT: `${point}:${mode}` });
  return {
    reached: () =>
      vi.waitFor(() => expect(times(), `${point} was never reached`).toBeGreaterThan(before), {
        timeout: 20_000,
      }),
  };
}
