import type { Client } from '../../platform/postgres/pool.ts';
import type { FactSpec } from './spec.ts';

/** Says which tables and columns the schema has that the facts do not speak of, or the other way round. */
export async function shapeFindings(client: Client, spec: FactSpec, schema: string): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT table_name AS name, array_agg(column_name::text ORDER BY column_name) AS columns
     FROM information_schema.columns WHERE table_schema = $1 GROUP BY 1`,
    [schema],
  );
  const there = new Map(rows.map((row) => [row.name as string, row.columns as string[]]));
  const told = new Map(spec.tables.map((table) => [table.name, Object.keys(table.columns)]));
  for (const count of spec.counts ?? []) told.set(count.name, [count.key, ...count.columns]);
  const unknown = [...there.keys()].filter((name) => !told.has(name) && !spec.besides?.includes(name));
  return [
    ...unknown.map((name) => `${schema}.${name} is a table that verify knows nothing of.`),
    ...[...told].flatMap(([name, columns]) => {
      const found = there.get(name)?.join(', ') ?? 'no table';
      const known = columns.sort().join(', ');
      return found === known ? [] : [`${schema}.${name} has ${found}; verify knows ${known}.`];
    }),
  ];
}
