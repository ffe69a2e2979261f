import { describe, expect, it } from 'vitest';
import { createLagTracker, type Heads, secondsBehind, stalledAfterMs } from '../../platform/log/lag.ts';

const topic = 'like-events';
const heads = (head: bigint): Heads => new Map([[topic, [head]]]);
const at = (position: bigint) => [{ topic, partition: 0, position }];

describe('how fresh a partition is', () => {
  it('at the head everything from before the look is there', () => {
    const lag = createLagTracker();
    expect(lag.observe('likes.v1', at(5n), heads(5n), 1_000)).toEqual([
      { topic, partition: 0, position: 5n, at: 1_000 },
    ]);
  });

  it('behind it is as fresh as the newest look that it has passed', () => {
    const lag = createLagTracker();
    expect(lag.observe('likes.v1', at(0n), heads(10n), 1_000)).toEqual([]);
    expect(lag.observe('likes.v1', at(9n), heads(20n), 2_000)).toEqual([]);
    const passed = lag.observe('likes.v1', at(10n), heads(30n), 3_000);
    expect(passed).toEqual([{ topic, partition: 0, position: 10n, at: 1_000 }]);
    expect(lag.of('likes.v1')?.partitions[0]).toMatchObject({ head: 30n, fresh: 1_000 });
  });

  it('without an answer of the broker nothing new is claimed, and what was passed counts', () => {
    const lag = createLagTracker();
    lag.observe('likes.v1', at(0n), heads(10n), 1_000);
    expect(lag.observe('likes.v1', at(5n), null, 2_000)).toEqual([]);
    expect(lag.observe('likes.v1', at(10n), null, 3_000)).toEqual([
      { topic, partition: 0, position: 10n, at: 1_000 },
    ]);
    expect(lag.observe('likes.v1', at(10n), null, 4_000)).toEqual([]);
  });
});

describe('rate', () => {
  it('is of the last ten seconds, and of what passed here', () => {
    const lag = createLagTracker();
    for (let second = 0n; second <= 30n; second += 1n) {
      // Another process had it up to 1,000 and gave it away at the 20th second.
      const held = second < 20n ? at(1_000n + second * 50n) : at(90_000n + second * 100n);
      lag.observe('likes.v1', second === 20n ? [] : held, heads(1_000_000n), Number(second) * 1_000);
    }
    expect(lag.of('likes.v1')?.perSecond).toBeCloseTo(90, 0);
  });
});

describe('stalled', () => {
  const late = stalledAfterMs + 1_000;

  it('is behind and without progress, named by its partition', () => {
    const lag = createLagTracker();
    lag.observe('likes.v1', at(3n), heads(10n), 0);
    lag.observe('likes.v1', at(3n), heads(12n), late);
    expect(lag.of('likes.v1')?.stalled).toEqual({ topic, partition: 0, seconds: late / 1_000 });
    lag.observe('likes.v1', at(4n), heads(12n), late + 1_000);
    expect(lag.of('likes.v1')?.stalled).toBeNull();
  });

  it('is not a quiet day, nor what comes right after one', () => {
    const lag = createLagTracker();
    lag.observe('likes.v1', at(10n), heads(10n), 0);
    lag.observe('likes.v1', at(10n), heads(10n), 100 * late);
    lag.observe('likes.v1', at(10n), heads(11n), 100 * late + 1_000);
    expect(lag.of('likes.v1')?.stalled).toBeNull();
  });
});

describe('seconds behind', () => {
  const behind = { position: 1n, head: 2n };

  it('are none at the head, and else the age of what is wholly applied', () => {
    expect(secondsBehind({ position: 2n, head: 2n, fresh: null, eventTime: null }, 60_000)).toBe(0);
    expect(secondsBehind({ ...behind, fresh: 50_000, eventTime: 20_000 }, 60_000)).toBe(10);
    expect(secondsBehind({ ...behind, fresh: null, eventTime: 20_000 }, 60_000)).toBe(40);
    expect(secondsBehind({ ...behind, fresh: null, eventTime: null }, 60_000)).toBeNull();
  });
});
