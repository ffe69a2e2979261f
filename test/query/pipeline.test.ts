import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cursor, newestFirst, openCursors } from '../../query-api/cursor.ts';
import { type Page, type Steps, servePage } from '../../query-api/pipeline.ts';

const cursors = openCursors(randomBytes(32));

/** A list of these entries whose rules let `shown` through; counts what it was asked. */
function listOf(entries: readonly Cursor[], shown: (entry: Cursor) => boolean) {
  const sorted = [...entries].sort(newestFirst);
  const asked = { skeletons: 0, hydrations: 0 };
  const steps: Steps<Cursor, null, string> = {
    skeleton: async (after, limit) => {
      asked.skeletons += 1;
      return sorted.filter((entry) => after === null || newestFirst(after, entry) < 0).slice(0, limit);
    },
    hydrate: async () => {
      asked.hydrations += 1;
      return null;
    },
    rules: shown,
    present: (entry) => entry.id,
  };
  return { steps, asked, sorted };
}

async function readAll(steps: Steps<Cursor, null, string>, limit: number): Promise<Page<string>[]> {
  const pages: Page<string>[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await servePage(cursors, steps, { cursor, limit });
    pages.push(page);
    if (page.nextCursor === null) return pages;
    cursor = page.nextCursor;
  }
}

const entry = fc.record({ time: fc.integer({ min: 0, max: 5 }), id: fc.uuid({ version: 7 }) });

describe('servePage', () => {
  it('shows every entry that may be seen once, in order, whatever the page size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(entry, { selector: ({ id }) => id, maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 12 }),
        fc.func(fc.boolean()),
        async (entries, limit, mayShow) => {
          const shown = (item: Cursor): boolean => mayShow(item.id);
          const { steps, sorted } = listOf(entries, shown);
          const pages = await readAll(steps, limit);
          expect(pages.flatMap((page) => page.items)).toEqual(sorted.filter(shown).map(({ id }) => id));
          for (const page of pages) expect(page.items.length).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });

  it('fills up a page that the rules thin out', async () => {
    const entries = Array.from({ length: 40 }, (_, i) => ({ time: i, id: idOf(i) }));
    const { steps } = listOf(entries, ({ time }) => time % 2 === 0);
    const { items, nextCursor } = await servePage(cursors, steps, { limit: 10 });
    expect([items.length, nextCursor === null]).toEqual([10, false]);
  });

  it('gives up filling after some rounds, and says where to go on', async () => {
    const entries = Array.from({ length: 200 }, (_, i) => ({ time: i, id: idOf(i) }));
    const { steps, asked } = listOf(entries, () => false);
    const { items, nextCursor } = await servePage(cursors, steps, { limit: 10 });
    expect([items, nextCursor === null, asked.skeletons, asked.hydrations]).toEqual([[], false, 5, 5]);
  });

  it('hydrates a whole page at once', async () => {
    const entries = Array.from({ length: 30 }, (_, i) => ({ time: i, id: idOf(i) }));
    const { steps, asked } = listOf(entries, () => true);
    await servePage(cursors, steps, { limit: 20 });
    expect(asked).toEqual({ skeletons: 1, hydrations: 1 });
  });
});

describe('cursors', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9e12 }), fc.uuid({ version: 7 }), (time, id) => {
        expect(cursors.decode(cursors.encode({ time, id }))).toEqual({ time, id });
      }),
    );
  });

  const place = { time: 1_000, id: idOf(1) };
  const text = cursors.encode(place);

  it('say nothing of the place to who has not the key', () => {
    expect(cursors.encode(place)).toBe(text);
    const bytes = Buffer.from(text, 'base64url');
    const said = Buffer.from(place.id.replaceAll('-', ''), 'hex');
    for (let from = 0; from < said.length; from += 4)
      expect(bytes.includes(said.subarray(from, from + 4))).toBe(false);
  });

  it.each([
    ['', 'x', 'MTIz', `${text}=`, text.slice(0, -2), `A${text}`],
    [openCursors(randomBytes(32)).encode(place)],
    Array.from(
      { length: text.length },
      (_, n) => text.slice(0, n) + (text[n] === 'A' ? 'B' : 'A') + text.slice(n + 1),
    ),
  ])('refuse what was changed, or made under another key', (...changed) => {
    for (const other of changed)
      expect(() => cursors.decode(other)).toThrowError(expect.objectContaining({ code: 'cursor_invalid' }));
  });
});

function idOf(n: number): string {
  return `0190a000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}
