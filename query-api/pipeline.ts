import type { Cursor, Cursors } from './cursor.ts';

/**
 * The four steps of every list (DESIGN §7). Skeleton and hydrate ask the stores, the one for ids, the other once per
 * kind for all of them; rules and present are pure.
 */
export interface Steps<E extends Cursor, H, Item> {
  /** Up to `limit` entries after the cursor, newest first. Fewer means that there are no more. */
  skeleton(after: Cursor | null, limit: number): Promise<E[]>;
  hydrate(entries: readonly E[]): Promise<H>;
  /** Whether the viewer may see it: schemas/visibility decides. */
  rules(entry: E, hydrated: H): boolean;
  present(entry: E, hydrated: H): Item;
}

export interface PageQuery {
  cursor?: string;
  limit: number;
}

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** The skeleton of a list that its owner keeps from the viewer. */
export const nothing = async (): Promise<Cursor[]> => [];

/** A page is filled up in so many rounds; what is thinned out more comes short, with a cursor to go on. */
const maxRounds = 5;
/** Entries that a round after the first looks at, at least: few are missing then, and many may be hidden. */
const refill = 20;

/** One page. A page that the rules thin out is filled up to its limit. Throws cursor_invalid. */
export async function servePage<E extends Cursor, H, Item>(
  cursors: Cursors,
  steps: Steps<E, H, Item>,
  { cursor, limit }: PageQuery,
): Promise<Page<Item>> {
  const items: Item[] = [];
  let after = cursors.decode(cursor);
  for (let round = 0; round < maxRounds; round += 1) {
    const wanted = limit - items.length;
    const looked = round === 0 ? wanted : Math.max(wanted, refill);
    // One more than looked at only tells whether there is a next page.
    const found = await steps.skeleton(after, looked + 1);
    const entries = found.slice(0, looked);
    const shown = await showing(steps, entries);
    const taken = shown.slice(0, wanted);
    items.push(...taken.map(({ item }) => item));
    if (found.length <= looked && shown.length <= wanted) return { items, nextCursor: null };
    after = taken.length === wanted ? taken.at(-1)!.entry : entries.at(-1)!;
    if (items.length === limit) break;
  }
  return { items, nextCursor: cursors.encode(after!) };
}

/** Those of the entries that the rules let through, presented. */
async function showing<E extends Cursor, H, Item>(
  steps: Steps<E, H, Item>,
  entries: readonly E[],
): Promise<{ entry: E; item: Item }[]> {
  if (entries.length === 0) return [];
  const hydrated = await steps.hydrate(entries);
  const shown = entries.filter((entry) => steps.rules(entry, hydrated));
  return shown.map((entry) => ({ entry, item: steps.present(entry, hydrated) }));
}
