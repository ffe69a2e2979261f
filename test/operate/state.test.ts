import { describe, expect, it } from 'vitest';
import type { RebuildRow } from '../../platform/postgres/rebuilds.ts';
import type { MemberRow, VersionRow } from '../../tools/operate/projections/rows.ts';
import { type Facts, stateOf } from '../../tools/operate/projections/state.ts';

const now = Date.parse('2026-05-01T12:00:00Z');

const projected: VersionRow = {
  model: 'likes',
  version: 2,
  definition: 1,
  state: 'projected',
  served: false,
  previous: false,
};
const filling: VersionRow = { ...projected, state: 'filling' };

function member(changed: Partial<MemberRow> = {}): MemberRow {
  const quiet = { reason: null, perSecond: 0, fresh: {}, unseen: 1 };
  return { consumer: 'likes.v2', process: 'projectors there:1', state: 'running', ...quiet, ...changed };
}

function build(changed: Partial<RebuildRow> = {}): RebuildRow {
  return {
    model: 'likes',
    version: 2,
    state: 'filling',
    detail: null,
    askedBy: 'ana@there',
    askedAt: new Date(now),
    autoSwitch: true,
    heldUntil: new Date(now + 5_000),
    perSecond: 1_000,
    etaSeconds: 10,
    errors: 0,
    partitions: [
      { topic: 'like-events', partition: 0, position: 30n, target: 100n, bytes: 1, errors: 0 },
      { topic: 'like-events', partition: 1, position: 60n, target: 100n, bytes: 1, errors: 0 },
    ],
    ...changed,
  };
}

function state(changed: Partial<Facts>): string {
  const facts: Facts = {
    model: 'likes',
    version: projected,
    rebuild: null,
    building: null,
    pause: null,
    members: [member()],
    siblingRuns: false,
    orphans: [],
    now,
    ...changed,
  };
  const { state: name, reason } = stateOf(facts);
  return reason === null ? name : `${name}: ${reason}`;
}

describe('a build', () => {
  const under = { version: filling, members: [] };

  it('under way is rebuilding, with its phase and how far it is', () => {
    expect(state({ ...under, rebuild: build() })).toBe('rebuilding: filling 45 %');
    const ready = build({ state: 'ready', heldUntil: null });
    expect(state({ rebuild: ready })).toBe('rebuilding: ready 45 %');
  });

  it('waits for the one before it', () => {
    const waiting = build({ state: 'waiting', heldUntil: null });
    expect(state({ ...under, rebuild: waiting, building: 'posts' })).toBe('waiting for rebuild of posts');
  });

  it('that nobody works on any more is not running', () => {
    const left = build({ heldUntil: new Date(now - 1_000) });
    expect(state({ ...under, rebuild: left })).toBe(
      'not running: nobody works on its rebuild (filling 45 %)',
    );
  });

  it('that failed is stopped, with the reason', () => {
    const failed = build({ state: 'failed', detail: 'the disk was full' });
    expect(state({ ...under, rebuild: failed })).toBe('stopped: the rebuild failed: the disk was full');
  });

  it('whose rows are not what the log says is failed, unless somebody is led to it all the same', () => {
    const failed = build({ state: 'failed', detail: 'verify finds other rows' });
    expect(state({ rebuild: failed })).toBe('failed: verify finds other rows');
    expect(state({ rebuild: failed, version: { ...projected, served: true } })).toBe('running');
  });

  it('that is projected and in trouble shows the trouble', () => {
    const members = [member({ state: 'stopped', reason: 'beyond the head' })];
    expect(state({ rebuild: build({ state: 'ready' }), members })).toBe('stopped: beyond the head');
  });
});

describe('of several processes the one in trouble is shown', () => {
  it.each([
    [{ state: 'stopped', reason: 'an unknown type' }, 'stopped: an unknown type'],
    [{ state: 'retrying', reason: 'waiting for broker: gone' }, 'waiting for broker: gone'],
    [
      { state: 'retrying', reason: 'x is undefined' },
      'stalled: tries one round again and again: x is undefined',
    ],
    [
      { state: 'running', reason: 'stalled: no progress on a/0 for 20 s' },
      'stalled: no progress on a/0 for 20 s, projectors there:1',
    ],
    [{ state: 'starting' }, 'running'],
  ])('%j', (changed, told) => {
    expect(state({ members: [member(), member(changed)] })).toBe(told);
  });

  it('one that was not seen for long is nobody', () => {
    expect(state({ members: [member(), member({ state: 'stopped', unseen: 60 })] })).toBe('running');
    expect(state({ members: [member({ unseen: 60 })] })).toBe(
      'not running: projectors there:1 was last seen 60 s ago',
    );
    expect(state({ members: [], siblingRuns: true })).toMatch(/^no code/);
  });
});

it('what is behind and held by nobody is stalled, once a rebalance would be over', () => {
  const orphan = (seconds: number) => [{ where: 'like-events/1', movedAt: now - seconds * 1_000 }];
  expect(state({ orphans: orphan(3) })).toBe('running');
  expect(state({ orphans: orphan(30) })).toBe('stalled: nobody holds like-events/1');
});

it('a pause is by somebody', () => {
  const pause = { model: 'likes', by: 'ana@there', at: new Date(now) };
  expect(state({ pause })).toBe('paused: by ana@there since 2026-05-01T12:00:00.000Z');
});
