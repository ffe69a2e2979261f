import type { Queryable } from './pool.ts';

/** Texts that get a name; beyond it statements go unnamed, as ever. */
const maxTexts = 1_000;

/**
 * The same pool, whose statements with parameters Postgres parses and plans once a connection instead of each time. For
 * the few texts that a service asks thousands of times a second; a text names its tables, so another version of a model
 * is another statement.
 */
export function prepared(pool: Queryable): Queryable {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known || names.size >= maxTexts) return known;
    const name = `prepared_${names.size + 1}`;
    names.set(text, name);
    return name;
  };
  const query = (text: unknown, values: unknown, ...rest: unknown[]): unknown => {
    const ask = pool.query as (...args: unknown[]) => unknown;
    if (typeof text !== 'string' || !Array.isArray(values)) return ask.call(pool, text, values, ...rest);
    return ask.call(pool, { name: nameOf(text), text, values }, ...rest);
  };
  return { query: query as Queryable['query'] };
}

/** Ids as a parameter of a query: nothing in them needs a quote, and there are thousands. */
export function uuidArray(ids: readonly string[]): string {
  return `{${ids.join()}}`;
}
