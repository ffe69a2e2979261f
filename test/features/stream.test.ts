import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { streamKey } from '../../schemas/notify/frame.ts';
import type { Person } from '../harness/client.ts';
import type { ServiceName } from '../harness/services.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { connect, range } from '../stream/stage.ts';
import { eventually, type People, peopleOf } from './people.ts';

const patience = 120_000;
const nodes: readonly ServiceName[] = ['stream', 'stream2'];

let world: World;
let people: People;
let redis: Redis;
let ann: Person;
let dan: Person;
let fans: Person[];

beforeAll(async () => {
  world = await startWorld();
  people = peopleOf(world);
  redis = new Redis(world.env.REDIS_URL!);
  const { api } = world;
  [ann, dan] = [await api.register(), await api.register()];
  fans = [await api.register(), await api.register(), await api.register()];
  await world.drained(patience);
}, 180_000);
afterAll(async () => {
  redis?.disconnect();
  await world?.stop();
});

/** One frame: a follow that comes anew is news, one that is only said again is not. */
async function tell(fan: Person, whom: Person): Promise<void> {
  await people.unfollow(fan, whom);
  await people.follow(fan, whom);
}

/** Everybody tells without a pause; gives how many frames that makes. */
async function tellUntil(whom: Person, over: () => boolean): Promise<number> {
  const counts = await Promise.all(
    fans.map(async (fan) => {
      let told = 0;
      for (; !over(); told += 1) await tell(fan, whom);
      return told;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function headOf(person: Person): Promise<number> {
  const { rows } = await world.owner.query('SELECT seq FROM stream.head WHERE user_id = $1', [person.id]);
  return Number(rows[0]?.seq ?? 0);
}

/** What a new socket gets from the cursor up to the head. */
async function replay(person: Person, node: ServiceName, cursor: number) {
  const socket = connect(world.services[node], { token: person.token, query: { cursor: String(cursor) } });
  const { head } = await socket.hello();
  await socket.until((message) => message.seq === head && message.type !== 'hello', patience);
  socket.close();
  return socket.got.filter((message) => message.traceId !== undefined);
}

/** Reads events as plain HTTP does, until one of this id. */
async function readEvents(person: Person, lastId: number, upTo: number) {
  const abort = new AbortController();
  const answer = await fetch(`${world.services.stream.url}/api/stream`, {
    headers: { authorization: `Bearer ${person.token}`, 'last-event-id': String(lastId) },
    signal: abort.signal,
  });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
  ]);
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of answer.body!) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes(`id: ${upTo}\ndata: {"seq"`) && text.endsWith('\n\n')) break;
  }
  abort.abort();
  const data = [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1]!));
  return data.filter((message) => message.traceId !== undefined);
}

describe('a stream over two nodes', { timeout: patience + 60_000 }, () => {
  it('misses nothing and reorders nothing while its node is killed under it, again and again', async () => {
    let over = false;
    const told = tellUntil(ann, () => over);
    told.catch(() => {});
    onTestFinished(() => {
      over = true;
    });
    // biome-ignore lint/suspicious/noExplicitAny: frames of many shapes are looked into
    const seen: any[] = [];
    for (let round = 0; round < 4; round += 1) {
      const node = world.services[nodes[round % 2]!];
      const cursor = seen.length;
      const socket = connect(node, { token: ann.token, query: { cursor: String(cursor) } });
      await socket.until((message) => message.traceId && message.seq > cursor + 30, patience);
      node.signal('SIGKILL');
      await socket.closed;
      const got = socket.got.filter((message) => message.traceId !== undefined);
      // The cursor's own frame comes once more.
      expect(got[0].seq).toBe(Math.max(1, cursor));
      seen.push(...got.slice(cursor === 0 ? 0 : 1));
      await node.start();
    }
    over = true;
    const frames = await told;
    await world.drained(patience);
    seen.push(...(await replay(ann, 'stream', seen.length)).slice(1));
    expect(seen.map((message) => message.seq)).toEqual(range(1, frames));
    for (const fan of fans) {
      const times = seen.filter(({ data }) => data.followerId === fan.id).map(({ time }) => time);
      expect(times).toEqual([...times].sort());
    }
  });

  it('is the same on both nodes, and as Server-Sent Events from Last-Event-ID on', async () => {
    const head = await headOf(ann);
    const all = await replay(ann, 'stream', 0);
    expect(await replay(ann, 'stream2', 0)).toEqual(all);
    expect(await readEvents(ann, head - 20, head)).toEqual(all.slice(-21));
  });

  it('goes on as Server-Sent Events where it was cut', async () => {
    const before = await headOf(ann);
    for (const fan of fans) await tell(fan, ann);
    const first = await readEvents(ann, before, before + 2);
    for (const fan of fans) await tell(fan, ann);
    const second = await readEvents(ann, first.at(-1).seq, before + 6);
    const seqs = [...first, ...second.slice(1)].map((message) => message.seq);
    expect(seqs).toEqual(range(before, before + 6));
  });

  it.each([
    ['unknown_filter', 4400, { types: 'user.followed,user.adored' }],
    ['cursor_invalid', 4400, { cursor: '999999' }],
  ])('refuses with %s, by socket and by HTTP', async (code, close, query) => {
    const socket = connect(world.services.stream, { token: ann.token, query });
    expect(await socket.closed).toBe(close);
    expect(socket.got).toMatchObject([{ type: 'error', code }]);
    const path = `/api/stream?${new URLSearchParams(query)}`;
    expect(await world.api.call('GET', path, { token: ann.token })).toMatchObject({
      status: 400,
      body: { code },
    });
  });

  it('leaves out what a filter does not want, and says how far it is', async () => {
    const query = { cursor: '1', types: 'post.liked' };
    const socket = connect(world.services.stream, { token: ann.token, query });
    await socket.until((message) => message.type === 'cursor', patience);
    expect(socket.seqs()).toEqual([]);
    socket.close();
  });

  it('shows each person their own frames and nobody else’s', async () => {
    const sockets = nodes.flatMap((node) =>
      [ann, dan].map((person) => ({
        person,
        socket: connect(world.services[node], { token: person.token }),
      })),
    );
    await Promise.all(sockets.map(({ socket }) => socket.hello()));
    const [toAnn, toDan] = [fans[0]!, fans[1]!];
    for (let round = 0; round < 5; round += 1) {
      await tell(toAnn, ann);
      await tell(toDan, dan);
    }
    await world.drained(patience);
    for (const { person, socket } of sockets) {
      const head = await headOf(person);
      await socket.until((message) => message.traceId && message.seq === head, patience);
      const from = socket.got.filter((message) => message.traceId).map((message) => message.data.followerId);
      expect(from).toEqual(Array(5).fill(person === ann ? toAnn.id : toDan.id));
      socket.close();
    }
  });

  it('is whole from Postgres when Redis has lost the frames, and goes on', async () => {
    const all = await replay(ann, 'stream', 0);
    await redis.del(streamKey(world.prefix, ann.id));
    expect(await replay(ann, 'stream2', 0)).toEqual(all);
    const head = all.length;
    for (const fan of fans) await tell(fan, ann);
    await eventually(async () => (await headOf(ann)) === head + fans.length);
    expect((await replay(ann, 'stream', head)).map((message) => message.seq)).toEqual(range(head, head + 3));
  });
});

it('verify finds no difference', () => expectVerified(world), patience + 60_000);
