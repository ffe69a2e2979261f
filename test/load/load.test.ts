import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playDemo } from '../../tools/load/demo.ts';
import { samplePhoto } from '../harness/client.ts';
import { openFront } from '../harness/front.ts';
import { startWorld, type World } from '../harness/world.ts';

const root = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'emulsion-load-'));
let world: World;
let front: Awaited<ReturnType<typeof openFront>>;

beforeAll(async () => {
  world = await startWorld();
  front = await openFront(world);
  writeFileSync(path.join(folder, 'graph.csv'), 'a,b\nb,c\nc,a\na,a\na,b\nd,a\n');
  for (const name of ['1.jpg', '2.jpg']) writeFileSync(path.join(folder, name), await samplePhoto());
  writeFileSync(path.join(folder, '3-broken.jpg'), 'not a photograph');
}, 180_000);

afterAll(async () => {
  front?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the command line itself; both commands are what an operator would type. */
function emulsion(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const child = spawn(process.execPath, ['tools/cli/main.ts', ...args], {
    cwd: root,
    env: { ...process.env, ...world.env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  return new Promise((resolve) =>
    child.once('close', (status) => resolve({ status: status ?? 1, out, err })),
  );
}

function load(...more: string[]) {
  const graph = path.join(folder, 'graph.csv');
  const sizes = ['--uploads', '6', '--posts', '10', '--likes', '25', '--seed', 's1'];
  return emulsion('load', '--graph', graph, '--photos', folder, ...sizes, '--url', front.url, ...more);
}

async function countRows(): Promise<unknown> {
  const counts = [
    'accounts_v1.person',
    'graph_v1.follow',
    'likes_v1.post_like',
    'posts_v1.post',
    'media_v1.media',
  ].map((table) => `(SELECT count(*) FROM ${table} WHERE live)`);
  return (await world.owner.query(`SELECT ${counts.map((sql, i) => `${sql} AS n${i}`).join(', ')}`)).rows;
}

describe('emulsion load', () => {
  it('makes the world that was asked for, and verify finds no difference', async () => {
    const { status, out, err } = await load('--json');
    expect(status, err).toBe(0);
    const report = JSON.parse(out);
    expect(report.graph).toEqual({ people: 4, follows: 8, lines: 6, selfEdges: 1, repeats: 1 });
    expect(report.photographs).toEqual({ uploaded: 6, ready: 4, rejected: 2 });
    expect(report.accepted).toMatchObject({ register: 4, follow: 8, post: 10, like: 25 });
    expect(report.refused).toEqual([]);
    expect(report.events).toMatchObject({
      'user-events': 4,
      'follow-events': 8,
      'post-events': 10,
      'like-events': 25,
    });
    expect(report.rows).toMatchObject({ 'likes.post_like': 25, 'graph.follow': 8, 'posts.post': 10 });
    expect(report.memoryMb.loader).toBeGreaterThan(10);
    expect(report.lag.every((lag: { events: number }) => lag.events === 0)).toBe(true);
    const verified = await emulsion('verify', '--json');
    expect(verified.status, verified.out + verified.err).toBe(0);
  }, 120_000);

  it('makes the same world when it is repeated', async () => {
    const before = await countRows();
    const { status, out, err } = await load('--json');
    expect(status, err).toBe(0);
    expect(JSON.parse(out).events).toMatchObject({ 'user-events': 4, 'post-events': 10 });
    expect(await countRows()).toEqual(before);
    const verified = await emulsion('verify', '--json');
    expect(verified.status, verified.out + verified.err).toBe(0);
  }, 120_000);

  it('prints a table for people', async () => {
    const { status, out } = await load();
    expect(status).toBe(0);
    expect(out).toMatch(/commands accepted\n\s+register\s+4/);
    expect(out).toMatch(/events behind\n(\s+\S+\s+0\n)+/);
  }, 120_000);

  it('refuses a broken edge list before anything is loaded', async () => {
    const file = path.join(folder, 'broken.csv');
    writeFileSync(file, 'a,b\nb,x\nc;d\nd,e\n');
    const before = await countRows();
    const { status, err } = await emulsion('load', '--graph', file, '--photos', folder, '--url', front.url);
    expect(status).toBe(1);
    expect(err).toMatch(/Line 3 of .*"c;d".*The 2 lines before it were read; nothing was loaded/);
    await world.drained();
    expect(await countRows()).toEqual(before);
  });
});

describe('emulsion verify', () => {
  it('prints a table, and ends with status 1 and the rows when one is wrong', async () => {
    const right = await emulsion('verify');
    expect(right.status, right.out).toBe(0);
    expect(right.out).toMatch(/likes\s+post_like\s+25\s+[0-9a-f]{16}\s+0\n/);
    expect(right.out.trim()).toMatch(/^0 differences, [\d.]+ s, at most \d+ MB of memory/m);
    await world.owner.query('UPDATE likes_v1.post_like_count SET likes = likes + 1 WHERE likes > 0');
    const wrong = await emulsion('verify', 'likes');
    await world.owner.query('UPDATE likes_v1.post_like_count SET likes = likes - 1 WHERE likes > 0');
    expect(wrong.status).toBe(1);
    expect(wrong.out).toMatch(
      /likes\.post_like_count [0-9a-f-]{36}\n {2}the log says {2}likes=\d+\n {2}there is {6}likes=\d+\n.*PostLiked/,
    );
  }, 60_000);
});

describe('the demo', () => {
  it('plays a small world, live frame included, and adds nothing when played again', async () => {
    const said: string[] = [];
    const options = { publicUrl: front.url, log: (text: string) => said.push(text) };
    const began = performance.now();
    const report = await playDemo(options);
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(report).toMatchObject({ people: 12, posts: 3 });
    expect(report.receivedLive).toMatch(/^post\.published/);
    expect(report.firstInFeed).toMatch(/demo_ben's feed$/);
    const posts = await world.owner.query('SELECT count(*) AS n FROM posts_v1.post');
    const again = await playDemo(options);
    expect({ ...again, picture: '' }).toEqual({ ...report, picture: '' });
    expect((await world.owner.query('SELECT count(*) AS n FROM posts_v1.post')).rows).toEqual(posts.rows);
  }, 60_000);
});
