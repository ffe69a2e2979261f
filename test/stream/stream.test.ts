import { randomBytes, randomUUID } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type World } from '../harness/world.ts';
import { connect, eventually, openStage, pause, range, type Stage } from './stage.ts';

let world: World;
let stage: Stage;

beforeAll(async () => {
  world = await startWorld({ services: [] });
  stage = await openStage(world, ['stream', 'stream2']);
});
afterAll(async () => {
  stage?.close();
  await world?.stop();
});

describe('who may listen', () => {
  const user = randomUUID();
  const byProtocol = (token: string) => ({ protocols: ['emulsion', `bearer.${token}`] });

  it.each([
    ['header', (token: string) => ({ token })],
    ['subprotocol', byProtocol],
    ['query', (token: string) => ({ query: { token } })],
  ])('takes a token by %s', async (_, way) => {
    const socket = connect(world.services.stream, way(stage.token(user)));
    expect(await socket.hello()).toEqual({ type: 'hello', seq: 0, head: 0 });
    socket.close();
  });

  it('answers with the subprotocol that is no token', async () => {
    const socket = connect(world.services.stream, byProtocol(stage.token(user)));
    await socket.hello();
    expect(socket.ws.protocol).toBe('emulsion');
    socket.close();
  });

  it('takes a token by the first message, and a newer one later', async () => {
    const socket = connect(world.services.stream);
    await new Promise((resolve) => socket.ws.once('open', resolve));
    socket.send({ type: 'auth', token: stage.token(user), cursor: 0, types: ['post.liked'] });
    await socket.hello();
    socket.send({ type: 'auth', token: stage.token(user, 1_200) });
    const { expiresAt } = await socket.until((message) => message.type === 'authenticated');
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now() + 1_100_000);
    socket.send({ type: 'auth', token: stage.token(randomUUID()) });
    expect(await socket.closed).toBe(4401);
  });

  it.each([
    ['token_invalid', () => 'nonsense'],
    ['token_expired', () => stage.token(user, -5)],
  ])('says %s and closes with 4401', async (code, token) => {
    const traceId = randomBytes(16).toString('hex');
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const socket = connect(world.services.stream, { token: token(), headers });
    expect(await socket.closed).toBe(4401);
    expect(socket.got).toMatchObject([{ type: 'error', code, traceId }]);
    await vi.waitFor(() => {
      const told = world.services.stream.logLines().filter((line) => line.traceId === traceId);
      expect(told).toMatchObject([{ msg: 'stream ended', code }]);
    });
  });

  it('closes when the token expires', async () => {
    const socket = connect(world.services.stream, { token: stage.token(user, 2) });
    await socket.hello();
    expect(await socket.closed).toBe(4401);
    expect(socket.got.at(-1)).toMatchObject({ type: 'error', code: 'token_expired' });
  });

  it('closes on a message that is none, and on too many of them', async () => {
    const odd = connect(world.services.stream, { token: stage.token(user) });
    await odd.hello();
    odd.send({ type: 'subscribe' });
    expect(await odd.closed).toBe(4400);
    const chatty = connect(world.services.stream, { token: stage.token(user) });
    await chatty.hello();
    for (let i = 0; i < 30; i += 1) chatty.send({ type: 'ping' });
    expect(await chatty.closed).toBe(4429);
  });

  it.each([
    { cursor: { toString: 1 } },
    { types: { toString: 1 } },
    { types: [{ toString: 1 }] },
    { cursor: [[]] },
  ])('goes on after a first message with %o', async (odd) => {
    const socket = connect(world.services.stream);
    await new Promise((resolve) => socket.ws.once('open', resolve));
    socket.send({ type: 'auth', token: stage.token(user), ...odd });
    expect(await socket.closed).toBe(4400);
    const next = connect(world.services.stream, { token: stage.token(user) });
    await next.hello();
    next.close();
  });

  it('bounds the streams of one account', async () => {
    const many = randomUUID();
    const open = range(1, 16).map(() => connect(world.services.stream, { token: stage.token(many) }));
    await Promise.all(open.map((socket) => socket.hello()));
    const onePast = connect(world.services.stream, { token: stage.token(many) });
    expect(await onePast.closed).toBe(4429);
    open[0]!.close();
    await open[0]!.closed;
    await pause(100);
    const again = connect(world.services.stream, { token: stage.token(many) });
    await again.hello();
    for (const socket of [...open, again]) socket.close();
  });

  it('writes no token into its log', async () => {
    const token = stage.token(user);
    const socket = connect(world.services.stream, { query: { token } });
    await socket.hello();
    socket.close();
    await socket.closed;
    expect(JSON.stringify(world.services.stream.logLines())).not.toContain(token.slice(0, 40));
  });
});

describe('live', () => {
  it('begins at the head without a cursor, on both nodes', async () => {
    const user = randomUUID();
    await stage.append(user, 3);
    const sockets = [world.services.stream, world.services.stream2].map((service) =>
      connect(service, { token: stage.token(user) }),
    );
    for (const socket of sockets) expect(await socket.hello()).toEqual({ type: 'hello', seq: 3, head: 3 });
    await stage.append(user, 20);
    for (const socket of sockets) {
      await socket.until((message) => message.seq === 23);
      expect(socket.seqs()).toEqual(range(4, 23));
      expect(socket.got[1]).toMatchObject({ seq: 4, type: 'post.liked', traceId: 'trace-4' });
      socket.close();
    }
  });

  it('fills a hole before what came after it, and finds a lost last frame', async () => {
    const user = randomUUID();
    const socket = connect(world.services.stream, { token: stage.token(user) });
    await socket.hello();
    await stage.append(user, 1);
    await stage.append(user, 2, { publish: false, keep: false });
    await stage.append(user, 1);
    await socket.until((message) => message.seq === 4);
    await stage.append(user, 1, { publish: false, keep: false });
    await socket.until((message) => message.seq === 5);
    expect(socket.seqs()).toEqual(range(1, 5));
    socket.close();
  });

  it('says the trace id of what it sends in its log', async () => {
    const user = randomUUID();
    const socket = connect(world.services.stream, { token: stage.token(user) });
    await socket.hello();
    await pause(1_100);
    await stage.append(user, 1);
    await socket.until((message) => message.seq === 1);
    const sent = await eventually(() =>
      world.services.stream.logLines().find((line) => line.userId === user && line.msg === 'frame sent'),
    );
    expect(sent).toMatchObject({ traceId: 'trace-1', type: 'post.liked' });
    socket.close();
  });
});

describe('resuming', () => {
  it('goes over from Postgres to Redis to live without a gap', async () => {
    const user = randomUUID();
    await stage.append(user, 650, { keep: false, publish: false });
    await stage.append(user, 150, { publish: false });
    const socket = connect(world.services.stream, { token: stage.token(user), query: { cursor: '5' } });
    await socket.hello();
    await stage.append(user, 50);
    await socket.until((message) => message.seq === 850);
    expect(socket.seqs()).toEqual(range(5, 850));
    socket.close();
  });

  it('misses nothing while frames are appended and the node is killed', async () => {
    const user = randomUUID();
    const token = stage.token(user);
    let writing = true;
    const writer = (async () => {
      while (writing) {
        await stage
          .append(user, 1 + Math.floor(Math.random() * 5), {
            publish: Math.random() > 0.1,
            keep: Math.random() > 0.3,
          })
          .catch(() => {});
        await pause(5);
      }
    })();
    const seen: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const service = round % 2 === 0 ? world.services.stream : world.services.stream2;
      const socket = connect(service, { token, query: { cursor: String(seen.at(-1) ?? 0) } });
      await socket.until((message) => message.seq > (seen.at(-1) ?? 0) + 40);
      if (round === 2) service.signal('SIGKILL');
      else socket.ws.terminate();
      await socket.closed;
      const [first, ...rest] = socket.seqs();
      expect(first).toBe(seen.at(-1) ?? 1);
      if (seen.length === 0) seen.push(first!);
      seen.push(...rest);
      if (round === 2) await service.start();
    }
    writing = false;
    await writer;
    expect(seen).toEqual(range(1, seen.length));
    expect(seen.length).toBeGreaterThan(200);
  });

  it('tells the cursor past what the filter leaves out', async () => {
    const user = randomUUID();
    await stage.append(user, 250);
    await stage.append(user, 1, { type: 'user.followed', data: () => ({ followerId: randomUUID() }) });
    await stage.append(user, 4);
    const query = { cursor: '0', types: 'user.followed,media.ready' };
    const socket = connect(world.services.stream, { token: stage.token(user), query });
    await socket.until((message) => message.type === 'cursor' && message.seq === 255);
    expect(socket.seqs()).toEqual([251]);
    await stage.append(user, 1);
    await socket.until((message) => message.type === 'cursor' && message.seq === 256);
    socket.close();
  });

  it.each([
    ['cursor_invalid', { cursor: '99' }, 4400],
    ['cursor_invalid', { cursor: 'yesterday' }, 4400],
    ['cursor_too_old', { cursor: '2' }, 4410],
    ['unknown_filter', { types: 'post.liked,post.loved' }, 4400],
  ])('refuses with %s: %o', async (code, query, close) => {
    const user = randomUUID();
    await stage.append(user, 10);
    await world.owner.query('DELETE FROM stream.entry WHERE user_id = $1 AND seq < 5', [user]);
    const socket = connect(world.services.stream, { token: stage.token(user), query });
    expect(await socket.closed).toBe(close);
    expect(socket.got).toMatchObject([{ type: 'error', code }]);
  });

  it('takes the oldest cursor that misses nothing', async () => {
    const user = randomUUID();
    await stage.append(user, 10, { keep: false });
    await world.owner.query('DELETE FROM stream.entry WHERE user_id = $1 AND seq < 5', [user]);
    const socket = connect(world.services.stream, { token: stage.token(user), query: { cursor: '4' } });
    await socket.until((message) => message.seq === 10 && message.traceId);
    expect(socket.seqs()).toEqual(range(5, 10));
    socket.close();
  });
});

const padded = { type: 'post.liked', data: () => ({ pad: 'x'.repeat(20_000) }) };

function endedSlow(page: string): number {
  return Number(page.match(/code="consumer_too_slow",service="stream"} (\d+)/)?.[1] ?? 0);
}

describe('a slow reader', () => {
  it('is cut when live, and others are not', async () => {
    const user = randomUUID();
    const slow = connect(world.services.stream, { token: stage.token(user) });
    const quick = connect(world.services.stream, { token: stage.token(user) });
    await Promise.all([slow.hello(), quick.hello()]);
    slow.ws.pause();
    let total = 0;
    while (endedSlow(await metricsOf(world.services.stream.url)) === 0 && total < 3_000) {
      await stage.append(user, 100, { ...padded, keep: false });
      total += 100;
    }
    slow.ws.resume();
    expect(await slow.closed).toBe(4008);
    expect(slow.got.at(-1)).toMatchObject({ type: 'error', code: 'consumer_too_slow' });
    expect(slow.seqs()).toEqual(range(1, slow.seqs().length));
    await quick.until((message) => message.seq === total);
    expect(quick.seqs()).toEqual(range(1, total));
    quick.close();
  });

  it('is waited for while it catches up', async () => {
    const user = randomUUID();
    for (let i = 0; i < 8; i += 1) await stage.append(user, 200, { ...padded, keep: false, publish: false });
    const socket = connect(world.services.stream, { token: stage.token(user), query: { cursor: '0' } });
    await socket.hello();
    socket.ws.pause();
    await pause(3_000);
    socket.ws.resume();
    await socket.until((message) => message.seq === 1_600 && message.traceId, 30_000);
    expect(socket.seqs()).toEqual(range(1, 1_600));
    socket.close();
  });
});

async function metricsOf(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

describe('as Server-Sent Events', () => {
  async function read(query: string, headers: Record<string, string>, enough: (text: string) => boolean) {
    const abort = new AbortController();
    const answer = await fetch(`${world.services.stream2.url}/api/stream${query}`, {
      headers,
      signal: abort.signal,
    });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of answer.body!) {
      text += decoder.decode(chunk, { stream: true });
      if (enough(text)) break;
    }
    abort.abort();
    return { status: answer.status, type: answer.headers.get('content-type'), text };
  }

  it('is the same stream, and Last-Event-ID its cursor', async () => {
    const user = randomUUID();
    await stage.append(user, 300, { keep: false });
    const headers = { authorization: `Bearer ${stage.token(user)}`, 'last-event-id': '7' };
    const answer = await read('', headers, (text) => text.includes('id: 300\n'));
    expect(answer).toMatchObject({ status: 200, type: 'text/event-stream; charset=utf-8' });
    const ids = [...answer.text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
    expect(ids).toEqual([7, ...range(7, 300)]);
  });

  /** A response that is not read until it is told to. */
  function open(user: string, cursor: string): Promise<IncomingMessage> {
    const url = `${world.services.stream.url}/api/stream?cursor=${cursor}`;
    const headers = { authorization: `Bearer ${stage.token(user)}` };
    return new Promise((resolve, reject) => {
      get(url, { headers, agent: false }, (answer) => resolve(answer.pause())).on('error', reject);
    });
  }

  /** The ids that come, up to the last one or the end. */
  async function idsOf(answer: IncomingMessage, last: number): Promise<number[]> {
    const ids: number[] = [];
    for await (const line of createInterface({ input: answer })) {
      if (line.startsWith('id: ')) ids.push(Number(line.slice(4)));
      if (ids.at(-1) === last) break;
    }
    answer.destroy();
    return ids;
  }

  it('waits for a slow reader that catches up', async () => {
    const user = randomUUID();
    for (let i = 0; i < 8; i += 1) await stage.append(user, 200, { ...padded, keep: false, publish: false });
    const answer = await open(user, '0');
    await pause(3_000);
    const ids = await idsOf(answer, 1_600);
    expect(ids).toEqual([0, ...range(1, 1_600)]);
  });

  it('cuts a slow reader that is live', async () => {
    const user = randomUUID();
    const answer = await open(user, '0');
    const before = endedSlow(await metricsOf(world.services.stream.url));
    for (let total = 0; total < 3_000; total += 100) {
      await stage.append(user, 100, { ...padded, keep: false });
      if (endedSlow(await metricsOf(world.services.stream.url)) > before) break;
    }
    const ids = await idsOf(answer, Number.POSITIVE_INFINITY);
    expect(ids).toEqual(range(0, ids.length - 1));
  });

  it.each([
    ['?cursor=9', 400, 'cursor_invalid'],
    ['?types=x', 400, 'unknown_filter'],
  ])('refuses %s with a problem document', async (query, status, code) => {
    const headers = { authorization: `Bearer ${stage.token(randomUUID())}` };
    const answer = await read(query, headers, () => false);
    expect(answer).toMatchObject({ status, type: 'application/problem+json' });
    expect(JSON.parse(answer.text)).toMatchObject({ code, status });
  });
});

describe('a bad day', () => {
  it('serves by the sweep alone when Redis is away, and says so', async () => {
    const node = world.services.stream2;
    await node.stop();
    await node.start({ REDIS_URL: 'redis://127.0.0.1:1' });
    expect(await (await fetch(`${node.url}/readyz`)).json()).toMatchObject({ status: 'degraded' });
    const user = randomUUID();
    await stage.append(user, 5);
    const socket = connect(node, { token: stage.token(user), query: { cursor: '2' } });
    await socket.hello();
    await stage.append(user, 5);
    await socket.until((message) => message.seq === 10 && message.traceId);
    expect(socket.seqs()).toEqual(range(2, 10));
    socket.close();
  });

  it('says goodbye with 1012 when it is stopped, and is gone soon', async () => {
    const node = world.services.stream2;
    const socket = connect(node, { token: stage.token(randomUUID()) });
    await socket.hello();
    const began = Date.now();
    await node.stop();
    expect(await socket.closed).toBe(1012);
    expect(socket.got.at(-1)).toMatchObject({ type: 'error', code: 'server_restarting' });
    expect(Date.now() - began).toBeLessThan(3_000);
  });
});
