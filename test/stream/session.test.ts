import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Effect,
  type Input,
  type JudgedFrame,
  newSession,
  receive,
  type Session,
} from '../../query-api/stream/session.ts';

const limits = { earlyFrames: 4, pageFrames: 5, cursorEvery: 3 };

/** What the world can do to a session, in any order; `pick` chooses among what is there. */
type Deed = {
  do: 'append' | 'lose' | 'repeat' | 'arrive' | 'answer' | 'sweep' | 'tick' | 'start';
  pick: number;
};

const deeds = fc.array(
  fc.record({
    do: fc.constantFrom(
      'append',
      'append',
      'lose',
      'repeat',
      'arrive',
      'arrive',
      'answer',
      'sweep',
      'tick',
      'start',
    ),
    pick: fc.nat(1_000),
  }),
  { maxLength: 120, size: 'max' },
) as fc.Arbitrary<Deed[]>;

function frameOf(seq: number): JudgedFrame {
  const type = seq % 3 === 0 ? 'post.published' : 'post.liked';
  return { seq, type, traceId: '', data: {}, text: String(seq) };
}

/** A log of frames, a channel that loses, repeats and reorders, and history that answers late and in pieces. */
function play(
  session: Session,
  begin: { kept: number; cursor: number },
  script: readonly Deed[],
  hidden: Set<number>,
) {
  const world = { head: begin.kept, started: false, channel: [] as number[] };
  const asked: { after: number; upTo: number }[] = [];
  const seen: Exclude<Effect, { kind: 'fetch' }>[] = [];

  const give = (input: Input): void => {
    for (const effect of receive(session, input)) {
      if (effect.kind === 'fetch') asked.push(effect);
      else seen.push(effect);
    }
    expect(asked.length).toBeLessThanOrEqual(1);
    expect(session.early.size).toBeLessThanOrEqual(limits.earlyFrames);
  };
  const start = (): void => {
    if (world.started) return;
    world.started = true;
    give({ kind: 'start', position: Math.min(begin.cursor, begin.kept), head: world.head });
  };
  const answer = (pick: number): void => {
    const question = asked.pop();
    if (!question) return;
    const length = 1 + (pick % (question.upTo - question.after));
    const frames = Array.from({ length }, (_, i) => frameOf(question.after + 1 + i));
    give({
      kind: 'page',
      after: question.after,
      frames: frames.map((f) => ({ ...f, hidden: hidden.has(f.seq) })),
    });
  };
  const acts: Record<Deed['do'], (pick: number) => void> = {
    append: () => void world.channel.push(++world.head),
    lose: () => void ++world.head,
    repeat: (pick) => void (world.head > 0 && world.channel.push(1 + (pick % world.head))),
    arrive: (pick) => {
      const [seq] = world.channel.splice(pick % Math.max(1, world.channel.length), 1);
      if (seq !== undefined) give({ kind: 'frame', frame: frameOf(seq) });
    },
    answer,
    sweep: () => give({ kind: 'head', seq: world.head }),
    tick: () => give({ kind: 'tick' }),
    start,
  };
  for (const deed of script) acts[deed.do](deed.pick);
  start();
  give({ kind: 'head', seq: world.head });
  while (asked.length > 0) answer(0);
  give({ kind: 'tick' });
  return { seen, head: world.head, from: Math.min(begin.cursor, begin.kept) + 1 };
}

const beginnings = fc.record({ kept: fc.nat(20), cursor: fc.nat(20) });

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

describe('a session', () => {
  it('sends every frame from the cursor on, once and in order, whatever is lost, repeated or late', () => {
    fc.assert(
      fc.property(beginnings, deeds, (begin, script) => {
        const { seen, head, from } = play(newSession(null, limits), begin, script, new Set());
        expect(seen.map((effect) => effect.kind === 'send' && effect.frame.seq)).toEqual(range(from, head));
      }),
      { numRuns: 600 },
    );
  });

  it('leaves out what is filtered, and tells the cursor past it', () => {
    fc.assert(
      fc.property(beginnings, deeds, (begin, script) => {
        const session = newSession(new Set(['post.published']), limits);
        const { seen, head, from } = play(session, begin, script, new Set());
        const sent = seen.flatMap((effect) => (effect.kind === 'send' ? [effect.frame.seq] : []));
        expect(sent).toEqual(range(from, head).filter((seq) => seq % 3 === 0));
        const told = seen.map((effect) =>
          effect.kind === 'send' ? effect.frame.seq : (effect as { seq: number }).seq,
        );
        expect(told).toEqual([...told].sort((a, b) => a - b));
        expect(told.at(-1) ?? from - 1).toBe(head);
      }),
      { numRuns: 300 },
    );
  });

  it('never sends what history hides, and still goes on past it', () => {
    const session = newSession(null, limits);
    const { seen } = play(session, { kept: 6, cursor: 2 }, [], new Set([4, 6]));
    expect(seen).toEqual([
      { kind: 'send', frame: { ...frameOf(3), hidden: false } },
      { kind: 'send', frame: { ...frameOf(5), hidden: false } },
      { kind: 'cursor', seq: 6 },
    ]);
  });

  it('ends when history no longer has what comes next', () => {
    const session = newSession(null, limits);
    receive(session, { kind: 'start', position: 2, head: 6 });
    const effects = receive(session, { kind: 'page', after: 2, frames: [frameOf(5), frameOf(6)] });
    expect(effects).toMatchObject([{ kind: 'end', code: 'cursor_too_old' }]);
  });

  it('asks history for no more than the hole before an early frame', () => {
    const session = newSession(null, limits);
    receive(session, { kind: 'start', position: 2, head: 2 });
    expect(receive(session, { kind: 'frame', frame: frameOf(5) })).toEqual([
      { kind: 'fetch', after: 2, upTo: 4 },
    ]);
  });
});
