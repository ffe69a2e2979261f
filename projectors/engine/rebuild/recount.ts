import type { Counter, Model } from '../model.ts';

/**
 * Statements that count the rows of a build anew: all of them, or those of the keys that `keys` names for each table
 * of counts. Every key that has a row, were it a tombstone, gets its count, as the live path gives it.
 */
export function recountStatements(
  schema: string,
  counters: readonly Counter[],
): { into: string; sql: string }[] {
  return [...Map.groupBy(counters, (counter) => counter.into)].map(([into, group]) => ({
    into,
    sql: `INSERT INTO ${schema}.${into} (${columnsOf(group).join(', ')}) ${countSql(schema, group)}`,
  }));
}

/** The counters that the registers alone move; the others are settled by derivations. */
export function plainCounters(model: Model): Counter[] {
  return model.counters.filter((counter) => !counter.of);
}

function columnsOf(group: readonly Counter[]): string[] {
  return [...keyColumns(group), ...group.map((counter) => counter.column)];
}

export function keyColumns(group: readonly Counter[]): string[] {
  return Object.keys(group[0]!.key);
}

/** Counts over whole registers. */
export function countSql(schema: string, group: readonly Counter[], where = 'true'): string {
  const key = keyColumns(group);
  const parts = group.map((counter, index) => {
    const keys = key.map((column) => `${counter.key[column]} AS ${column}`);
    const counts = group.map(
      (other, i) => `${i === index ? `${counter.of ?? 'live'}::int` : '0'} AS ${other.column}`,
    );
    return `SELECT ${[...keys, ...counts].join(', ')} FROM ${schema}.${counter.from}`;
  });
  const sums = group.map((counter) => `sum(${counter.column})`);
  return `SELECT ${[...key, ...sums].join(', ')} FROM (${parts.join(' UNION ALL ')}) AS counted
    WHERE ${where} GROUP BY ${key.join(', ')} ORDER BY ${key.join(', ')}`;
}
