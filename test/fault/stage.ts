import { expect, vi } from 'vitest';
import { decodePosition } from '../../platform/log/position.ts';
import { topics } from '../../schemas/topics.ts';
import { createClient, expectStatus } from '../harness/client.ts';
import { type LoggedRecord, readTopic } from '../harness/log.ts';
import { expectVerified } from '../harness/verified.ts';
import type { Place } from '../harness/world.ts';
import { compareWithOracle } from '../oracle/compare.ts';
import { createHistory, type History, isAccepted, playedOf } from '../oracle/history.ts';
import { play } from '../oracle/play.ts';
import { range } from '../stream/stage.ts';
import type { Booked } from './book.ts';
import { type Listener, listen } from './listener.ts';
import { beginLoad, type Cast, type Load } from './load.ts';
import { openWitness, type Witness } from './witness.ts';

/** One thing that breaks, and what must be seen while it is broken. */
export interface Fault {
  what: string;
  strike(): Promise<unknown>;
  /** What goes on and what is refused; the fault is healed afterwards, whatever comes of this. */
  meanwhile(load: Load): Promise<unknown>;
  heal(): Promise<unknown>;
  /** What must have become of it when all is applied. */
  afterwards?(): Promise<unknown>;
  /** Codes of connections that may break: only where the front door itself is away. */
  cuts?: readonly string[];
}

export interface Stage {
  place: Place;
  witness: Witness;
  cast: Cast;
  listener: Listener;
  /** Of all posts that the author has published under load, and the reader must be told. */
  published: string[];
  /** Ids of events of the cast that are accounted for. */
  known: Set<string>;
  close(): void;
}

const patienceMs = 180_000;
const size = { people: 3, steps: 60 };
/** Steps of the history after which the fault strikes. */
const stepsBefore = 10;

export async function openStage(place: Place): Promise<Stage> {
  const cast = await castOf(place);
  await place.drained(patienceMs);
  const listener = listen(place.services, cast.reader);
  return {
    place,
    witness: openWitness(place.services),
    cast,
    listener,
    published: [],
    known: new Set((await recordsOf(place, cast)).map(({ id }) => id)),
    close: () => listener.close(),
  };
}

async function castOf(place: Place): Promise<Cast> {
  const api = createClient(place.services);
  const register = () => api.register();
  const author = await register();
  const fans: Cast['fans'] = [await register(), await register()];
  const reader = await register();
  const photo = await api.upload(author);
  const posts: string[] = [];
  for (let n = 0; n < 3; n += 1) posts.push(await api.publish(author, [photo]));
  await place.drained(patienceMs);
  expectStatus(await api.as(reader, 'POST', `/api/users/${author.username}/follow`), 200);
  return { author, fans, reader, photo, posts };
}

/**
 * Lets people act and read while the fault strikes, lasts and is healed: a steady load whose every acknowledgement is
 * booked, and a history of the oracle. Then every booked event must be in the log, once and where it was said to be,
 * every answer one that is documented, every read what the oracle says, every row what the log says, and nobody told
 * too little.
 */
export async function liveThrough(stage: Stage, fault: Fault): Promise<void> {
  const { place, witness } = stage;
  const seed = `${process.env.FAULT_SEED ?? 'fault'} ${fault.what}`;
  const load = beginLoad(witness, stage.cast, seed);
  const lived = createHistory(seed, size);
  witness.forgive(fault.cuts ?? []);
  const begun = Promise.withResolvers<void>();
  const playing = play(place, lived, {
    api: witness.api,
    patienceMs,
    onStep: (done) => done === stepsBefore && begun.resolve(),
  });
  playing.catch(() => {});
  try {
    await Promise.race([begun.promise, playing]);
    await load.goesOn('writes');
    await strikeAndHeal(fault, load);
    await load.goesOn('writes');
  } finally {
    // What follows must not meet people of this one.
    await Promise.allSettled([playing]);
    await load.stop();
    stage.published.push(...load.published);
  }
  await playing;
  await place.drained(patienceMs);
  expect(witness.verdict()).toEqual([]);
  await expectInTheLog(stage, load);
  await compareWithOracle(place, lived);
  await expectVerified(place);
  expect((await place.owner.query('SELECT FROM engine.parked')).rows).toEqual([]);
  await expectTold(stage);
  await fault.afterwards?.();
  const count = load.booked.length + acceptedIn(lived);
  console.log(`${fault.what}: ${count} acknowledged commands are in the log; 503: ${witness.tally()}`);
}

/** Commands that were accepted, each counted once however often it was sent. */
function acceptedIn(lived: History): number {
  const accepted = playedOf(lived).calls.filter((call) => call.key !== null && isAccepted(call));
  return new Set(accepted.map(({ key }) => key)).size;
}

async function strikeAndHeal(fault: Fault, load: Load): Promise<void> {
  try {
    await fault.strike();
    await fault.meanwhile(load);
  } finally {
    await fault.heal();
  }
}

/** Each booked command is one event, at the place that its answer said; nothing else of these people is there. */
async function expectInTheLog(stage: Stage, { booked }: Load): Promise<void> {
  const { place, cast, known } = stage;
  const ids = await eventIds(place, booked);
  const records = await recordsOf(place, cast);
  const at = new Map(
    records.map((record) => [`${record.topic}/${record.partition}/${record.offset}`, record.id]),
  );
  const { rows } = await place.owner.query(`SELECT value FROM engine.setting WHERE name = 'position_key'`);
  const lost = booked.filter(({ key, position }) => {
    const [where, ...more] = decodePosition(position, rows[0].value).positions;
    const id = ids.get(key);
    return !id || more.length > 0 || at.get(`${where!.topic}/${where!.partition}/${where!.offset}`) !== id;
  });
  expect(lost).toEqual([]);
  for (const id of ids.values()) known.add(id);
  expect(ids.size).toBe(booked.length);
  expect(records.filter(({ id }) => !known.has(id))).toEqual([]);
}

/** What the vault has minted for each Idempotency-Key. */
async function eventIds(place: Place, booked: readonly Booked[]): Promise<Map<string, string>> {
  const { rows } = await place.owner.query(
    `SELECT key, minted->>'eventId' AS id FROM vault.idempotency WHERE key = ANY($1)`,
    [booked.map(({ key }) => key)],
  );
  return new Map(rows.map(({ key, id }) => [key, id]));
}

type Placed = LoggedRecord & { topic: string };

/** What these people have said, as it lies in the log. */
async function recordsOf({ kafka, prefix }: Place, cast: Cast): Promise<Placed[]> {
  const ours = [cast.author, ...cast.fans, cast.reader].map(({ id }) => id);
  const read = topics.map(async (topic) => {
    const records = await readTopic(kafka, `${prefix}${topic}`);
    return records.filter(({ key }) => ours.includes(key)).map((record) => ({ ...record, topic }));
  });
  return (await Promise.all(read)).flat();
}

/** The reader's stream has told each post once, in its order, under numbers without a hole, over all cuts. */
async function expectTold(stage: Stage): Promise<void> {
  await vi.waitFor(
    () => {
      const told = stage.listener.told();
      const posts = told.filter(({ type }) => type === 'post.published').map(({ data }) => data.postId);
      expect(posts).toEqual(stage.published);
      expect(told.map(({ seq }) => seq)).toEqual(range(1, told.length));
    },
    { timeout: 30_000, interval: 200 },
  );
}

/** Waits until /readyz of a service says so; `failing` are names of checks that fail, among others. */
export async function expectReadiness(
  { url }: { url: string },
  status: 'ready' | 'degraded' | 'unavailable',
  failing: readonly string[],
): Promise<void> {
  await vi.waitFor(
    async () => {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
      const said = (await answer.json()) as { status: string; checks: { name: string; ok: boolean }[] };
      const failed = said.checks.filter(({ ok }) => !ok).map(({ name }) => name);
      const right = [status === 'unavailable' ? 503 : 200, status, expect.arrayContaining([...failing])];
      expect([answer.status, said.status, failed]).toEqual(right);
    },
    { timeout: 60_000, interval: 200 },
  );
}
