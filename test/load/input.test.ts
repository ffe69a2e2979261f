import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readGraph } from '../../tools/load/edges.ts';
import { planGraph, planLikes, planPosts, planUploads } from '../../tools/load/plan.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'emulsion-edges-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Buffer): string {
  const target = path.join(folder, name);
  writeFileSync(target, content);
  return target;
}

function pairs(graph: Awaited<ReturnType<typeof readGraph>>): string[] {
  return Array.from(
    graph.followers,
    (from, i) => `${graph.nodes[from]}→${graph.nodes[graph.followees[i]!]}`,
  ).sort();
}

describe('an edge list', () => {
  it('means both ways, skips self-edges and repeats, and counts them', async () => {
    const graph = await readGraph(file('both.csv', 'a,b\nb,a\n\nb,b\nb,c\r\na,b'), { directed: false });
    expect(pairs(graph)).toEqual(['a→b', 'b→a', 'b→c', 'c→b']);
    expect(graph).toMatchObject({ selfEdges: 1, repeats: 2, lines: 6 });
  });

  it('means one way when directed', async () => {
    const graph = await readGraph(file('directed.csv', '# who follows whom\n1,2\n2,1\n1,2\n'), {
      directed: true,
    });
    expect(pairs(graph)).toEqual(['1→2', '2→1']);
    expect(graph.repeats).toBe(1);
  });

  it('may be gzip whatever its name', async () => {
    const graph = await readGraph(file('packed', gzipSync('1,2\n3,4\n')), { directed: true });
    expect(pairs(graph)).toEqual(['1→2', '3→4']);
  });

  it.each([
    ['one name', '1,2\n3\n'],
    ['three names', '1,2\n3,4,5\n'],
    ['a name that no username can hold', '1,2\nA B,4\n'],
    ['a line without end', `1,2\n${'9'.repeat(100_000)}`],
  ])('with %s is refused by its line number', async (_what, content) => {
    const broken = readGraph(file('broken.csv', content), { directed: true });
    await expect(broken).rejects.toThrow(/Line 2 of .*The 1 lines before it were read; nothing was loaded/s);
  });

  it('that ends in the middle of its gzip is refused', async () => {
    const whole = gzipSync(Array.from({ length: 5_000 }, (_, i) => `${i},${i + 1}`).join('\n'));
    const cut = readGraph(file('cut.gz', whole.subarray(0, whole.length / 2)), { directed: true });
    await expect(cut).rejects.toThrow(/could not be read to its end, after line \d+: .*nothing was loaded/is);
  });

  it('that is not there is named', async () => {
    await expect(readGraph('/nowhere.csv', { directed: true })).rejects.toThrow(
      /\/nowhere\.csv could not be read/,
    );
  });
});

describe('the plan of a load', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planLikes(50, 40, 500, 's')).toEqual(planLikes(50, 40, 500, 's'));
    expect(planLikes(50, 40, 500, 's')).not.toEqual(planLikes(50, 40, 500, 't'));
    expect(planUploads(100, 3, 10, 's')).toEqual(planUploads(100, 3, 10, 's'));
  });

  it('draws a graph of distinct follows of others, and ends when there are no more', () => {
    const { nodes, followers, followees } = planGraph(300, 2_000, 's');
    expect([
      nodes.length,
      new Set(Array.from(followers, (from, i) => `${from} ${followees[i]}`)).size,
    ]).toEqual([300, 2_000]);
    expect(followers.every((from, i) => from !== followees[i])).toBe(true);
    const most = followees.filter((to) => to === 0).length;
    expect(most).toBeGreaterThan((2_000 / 300) * 5);
    expect(planGraph(3, 100, 's').followers).toHaveLength(6);
    expect(planGraph(1, 5, 's').followers).toHaveLength(0);
  });

  it('likes distinct pairs, the first posts most', () => {
    const { posts, likers } = planLikes(50, 40, 800, 's');
    expect(new Set(Array.from(posts, (post, i) => `${post} ${likers[i]}`)).size).toBe(800);
    const first = posts.filter((post) => post < 5).length;
    const last = posts.filter((post) => post >= 45).length;
    expect(first).toBeGreaterThan(last * 2);
  });

  it('ends when there are no more pairs', () => {
    expect(planLikes(3, 4, 100, 's').posts).toHaveLength(12);
    expect(planLikes(0, 4, 100, 's').posts).toHaveLength(0);
  });

  it('gives a post 1 to 10 distinct media of its own author', () => {
    const uploads = planUploads(20, 5, 60, 's').map((upload, index) => ({ ...upload, index }));
    for (const post of planPosts(uploads, 300, 's')) {
      expect(post.media.length).toBeGreaterThan(0);
      expect(post.media.length).toBeLessThanOrEqual(10);
      expect(new Set(post.media).size).toBe(post.media.length);
      expect(post.media.every((media) => uploads[media]!.author === post.author)).toBe(true);
    }
  });

  it('makes no post where nobody has a photograph', () => {
    expect(planPosts([], 10, 's')).toEqual([]);
  });
});
