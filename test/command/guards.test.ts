import { describe, expect, it } from 'vitest';
import { openClock } from '../../command-api/append/clock.ts';
import { canonicalJson } from '../../command-api/guards/canonical.ts';
import { openLookup } from '../../command-api/guards/lookup.ts';
import { openSlots } from '../../command-api/guards/slots.ts';

describe('event time', () => {
  const seen = (time: number) => ({ positions: [], time });
  it('is the clock, unless the caller or the state is ahead of it', () => {
    expect(openClock(() => 100).timeAfter(null, 0)).toBe(100);
    expect(openClock(() => 100).timeAfter(seen(150), 0)).toBe(151);
    expect(openClock(() => 100).timeAfter(seen(150), 170)).toBe(171);
  });
  it('never goes back with a clock that is set back', () => {
    const ticks = [200, 100];
    const clock = openClock(() => ticks.shift()!);
    expect([clock.timeAfter(null, 0), clock.timeAfter(null, 0)]).toEqual([200, 200]);
  });
});

describe('what a repeat is recognised by', () => {
  it('does not depend on the order of fields, and holds no secret', () => {
    const a = canonicalJson({ body: { b: [1, { y: 1, x: 2 }], a: 'x', password: 'one' } }, ['password']);
    const b = canonicalJson({ body: { password: 'two', a: 'x', b: [1, { x: 2, y: 1 }] } }, ['password']);
    expect(a).toBe(b);
    expect(a).not.toContain('one');
  });
  it('differs where the request does', () => {
    expect(canonicalJson({ body: [1, 2] })).not.toBe(canonicalJson({ body: [2, 1] }));
  });
});

describe('a lookup', () => {
  const at = (offset: bigint) => ({ positions: [{ topic: 'post-events', partition: 0, offset }], time: 0 });
  const counting = (values: Record<string, string>) => {
    const loads: string[][] = [];
    const lookup = openLookup<string>({
      topics: ['post-events'],
      version: () => 'posts_v1',
      keep: (value) => value !== 'not ready',
      load: async (keys) => {
        loads.push(keys);
        return new Map(keys.filter((key) => values[key]).map((key) => [key, values[key]!]));
      },
    });
    return { lookup, loads, values };
  };
  it('asks once for all that is asked at the same moment, and keeps what it found', async () => {
    const { lookup, loads } = counting({ a: '1', b: '2' });
    expect(await Promise.all(['a', 'b', 'a'].map((key) => lookup.get(key, null)))).toEqual(['1', '2', '1']);
    expect(await lookup.get('a', null)).toBe('1');
    expect(loads).toEqual([['a', 'b']]);
  });
  it('does not keep that something is missing', async () => {
    const { lookup, values } = counting({});
    expect(await lookup.get('a', null)).toBeNull();
    values.a = '1';
    expect(await lookup.get('a', null)).toBe('1');
  });
  it('does not keep what denies something that may come to be', async () => {
    const { lookup, values } = counting({ a: 'not ready' });
    expect(await lookup.get('a', null)).toBe('not ready');
    values.a = 'ready';
    expect(await lookup.get('a', null)).toBe('ready');
    values.a = 'gone';
    expect(await lookup.get('a', null)).toBe('ready');
  });
  it('asks anew for what a kept answer must not decide', async () => {
    const { lookup, values } = counting({ a: 'public' });
    await lookup.get('a', null);
    values.a = 'private';
    expect(await lookup.anew('a')).toBe('private');
    expect(await lookup.get('a', null)).toBe('private');
  });
  it("passes by what is older than the caller's own position, and keeps what was read after it", async () => {
    const { lookup, loads, values } = counting({ a: 'live' });
    await lookup.get('a', null);
    values.a = 'deleted';
    expect(await lookup.get('a', at(5n))).toBe('deleted');
    expect(await lookup.get('a', at(5n))).toBe('deleted');
    expect(await lookup.get('a', at(4n))).toBe('deleted');
    expect(loads).toHaveLength(2);
  });
});

describe('slots', () => {
  it('run a few at a time, let a bounded number wait and refuse the rest', async () => {
    const slots = openSlots({ atOnce: 1, waiting: 1, withinMs: 10_000 }, () => new Error('full'));
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = slots.run(async () => {
      await gate.promise;
      order.push('first');
    });
    const second = slots.run(async () => order.push('second'));
    await expect(slots.run(async () => {})).rejects.toThrow('full');
    gate.resolve();
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
  });
  it('refuse who has waited too long, begin nothing of it, and go on with the others', async () => {
    const slots = openSlots({ atOnce: 1, waiting: 2, withinMs: 20 }, () => new Error('full'));
    const gate = Promise.withResolvers<void>();
    const first = slots.run(() => gate.promise);
    let begun = false;
    const late = slots.run(async () => {
      begun = true;
    });
    await expect(late).rejects.toThrow('full');
    gate.resolve();
    await first;
    expect(await slots.run(async () => 'served')).toBe('served');
    expect(begun).toBe(false);
  });
});
