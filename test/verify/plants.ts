import type pg from 'pg';
import { allFacts } from '../../tools/verify/facts/all.ts';

/** A table of a version of a model, as Postgres has it. */
export interface Table {
  model: string;
  schema: string;
  name: string;
  key: string[];
  /** All but the key and what every register has. */
  columns: { name: string; type: string }[];
  isRegister: boolean;
}

const ofEveryRegister = ['live', 'event_time', 'event_id'];

/** Every table of every model there is, but those that no log decides. */
export async function tablesOf(owner: pg.Pool): Promise<Table[]> {
  const { rows } = await owner.query(
    `SELECT v.model, c.table_schema AS schema, c.table_name AS name, c.column_name AS column, c.udt_name AS type,
       EXISTS (SELECT FROM information_schema.table_constraints t
               JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name)
               WHERE t.constraint_type = 'PRIMARY KEY' AND k.table_schema = c.table_schema
                 AND k.table_name = c.table_name AND k.column_name = c.column_name) AS key
     FROM engine.version v JOIN information_schema.columns c ON c.table_schema = v.schema_name
     ORDER BY v.model, c.table_name, c.ordinal_position`,
  );
  const besides = new Set(allFacts.flatMap((spec) => spec.besides ?? []));
  const tables = new Map<string, Table>();
  for (const row of rows.filter(({ name }) => !besides.has(name))) {
    const { model, schema, name } = row;
    const none: Table = { model, schema, name, key: [], columns: [], isRegister: false };
    const table = tables.get(`${schema}.${name}`) ?? none;
    tables.set(`${schema}.${name}`, table);
    if (row.key) table.key.push(row.column);
    else if (ofEveryRegister.includes(row.column)) table.isRegister = true;
    else table.columns.push({ name: row.column, type: row.type });
  }
  return [...tables.values()];
}

/** Changes one row of a table so that it is wrong; null: there is no such wrongness in this table. */
export type Plant = (table: Table) => string | null;

const oneRow = (t: Table, which = 'true'): string =>
  `ctid = (SELECT ctid FROM ${t.schema}.${t.name} WHERE ${which} ORDER BY ${t.key.join(', ')} LIMIT 1)`;

const update = (t: Table, set: string, which?: string): string =>
  `UPDATE ${t.schema}.${t.name} SET ${set} WHERE ${oneRow(t, which)}`;

const registersOnly =
  (plant: Plant): Plant =>
  (table) =>
    table.isRegister ? plant(table) : null;

const countsOnly =
  (plant: Plant): Plant =>
  (table) =>
    table.isRegister ? null : plant(table);

/** Kinds of wrongness; each is tried in every table that can have it. */
export const kinds: readonly [kind: string, plant: Plant][] = [
  ['a row that is missing', (t) => `DELETE FROM ${t.schema}.${t.name} WHERE ${oneRow(t)}`],
  ['a row that no event made', extraRow],
  [
    'a tombstone that is lost',
    registersOnly((t) => `DELETE FROM ${t.schema}.${t.name} WHERE ${oneRow(t, 'NOT live')}`),
  ],
  ['a deletion undone', registersOnly((t) => update(t, 'live = true', 'NOT live'))],
  ['a row that is deleted for no reason', registersOnly((t) => update(t, 'live = false', 'live'))],
  [
    'an older event that won',
    registersOnly((t) =>
      update(t, "event_time = event_time - interval '1 ms', event_id = gen_random_uuid()"),
    ),
  ],
  [
    'the time of another event',
    registersOnly((t) => update(t, "event_time = event_time + interval '1 microsecond'")),
  ],
  ['the id of another event', registersOnly((t) => update(t, 'event_id = gen_random_uuid()'))],
  ['a count that is one too high', countsOnly((t) => update(t, moved(t, 0, '+ 1')))],
  ['a count that is one too low', countsOnly((t) => update(t, moved(t, 0, '- 1')))],
  ['a second count that is off', countsOnly((t) => (t.columns[1] ? update(t, moved(t, 1, '+ 1')) : null))],
];

const moved = (t: Table, column: number, by: string): string =>
  `${t.columns[column]!.name} = ${t.columns[column]!.name} ${by}`;

/** A copy of a row under another key. */
function extraRow(t: Table): string {
  const keys = t.key.map((column) => `'${column}', gen_random_uuid()`).join(', ');
  const row = `jsonb_populate_record(NULL::${t.schema}.${t.name}, to_jsonb(r) || jsonb_build_object(${keys}))`;
  return `INSERT INTO ${t.schema}.${t.name} SELECT (${row}).* FROM (SELECT * FROM ${t.schema}.${t.name} LIMIT 1) r`;
}

/** Another value for the n-th column of a register. */
export function changedColumn(n: number): Plant {
  return registersOnly((t) => {
    const column = t.columns[n];
    if (!column) return null;
    const other = special[`${t.name}.${column.name}`] ?? otherValue(column);
    return update(t, `${column.name} = ${other}`);
  });
}

/** Columns that take no other value of their type. */
const special: Record<string, string> = {
  'media.state': `CASE state WHEN 'ready' THEN 'rejected' ELSE 'ready' END`,
};

function otherValue({ name, type }: { name: string; type: string }): string {
  switch (type) {
    case 'uuid':
      return 'gen_random_uuid()';
    case 'text':
      return `coalesce(${name}, '') || '!'`;
    case 'bool':
      return `NOT coalesce(${name}, false)`;
    case 'int4':
    case 'int8':
      return `coalesce(${name}, 0) + 1`;
    case 'date':
      return `coalesce(${name}, '2000-01-01') + 1`;
    case 'timestamptz':
      return `coalesce(${name}, '2000-01-01') + interval '1 ms'`;
    case '_uuid':
      return `coalesce(${name}, '{}') || gen_random_uuid()`;
    case 'jsonb':
      return `jsonb_build_array(${name})`;
    default:
      throw new Error(
        `Say what is another value of a ${type}, so that a wrong one is planted in ${name} too.`,
      );
  }
}
