import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Check, CheckResult } from './check.ts';
import { type AvroType, type EventSchema, type RecordType, readEvents } from './schema-files.ts';

/** What the check needs to see of a model; projectors/engine/model.ts says the whole. */
interface Model {
  name: string;
  topics: readonly string[];
  sqlFile: string;
  registers: readonly string[];
  counters: readonly { from: string; into: string; key: Record<string, string>; of?: string }[];
  on: Record<string, (event: Record<string, unknown>) => { table: string; row: Record<string, unknown> }[]>;
}

interface Writer {
  event: string;
  /** Columns of the row that hold the event's key. */
  keyColumns: string[];
}

async function run(root: string): Promise<CheckResult> {
  const models = await readModels(root);
  const events = new Map(readEvents(root).map((schema) => [schema.record.name, schema]));
  return {
    findings: models.flatMap(({ file, model }) => modelFindings(root, file, model, events)),
    looked: models.length,
    of: 'models',
  };
}

async function readModels(root: string): Promise<{ file: string; model: Model }[]> {
  const found: { file: string; model: Model }[] = [];
  for (const file of globSync('projectors/**/*.model.ts', { cwd: root }).sort()) {
    const module = (await import(pathToFileURL(path.join(root, file)).href)) as Record<string, unknown>;
    for (const value of Object.values(module)) if (isModel(value)) found.push({ file, model: value });
  }
  return found;
}

export function isModel(value: unknown): value is Model {
  return typeof value === 'object' && value !== null && 'registers' in value && 'on' in value;
}

/**
 * DESIGN §3: events that write one row share its key, so that their order is a partition's; or the row merges by
 * (event time, event id), which is what a register does and what its columns must allow.
 */
function modelFindings(root: string, file: string, model: Model, events: Map<string, EventSchema>): string[] {
  const findings: string[] = [];
  const writers = new Map<string, Writer[]>();
  for (const type of Object.keys(model.on)) {
    const schema = events.get(type);
    if (!schema || !model.topics.includes(schema.record.topic!)) {
      findings.push(`${file}: ${model.name} takes ${type}, but reads no topic that has it.`);
      continue;
    }
    for (const { table, row } of model.on[type]!(sampleOf(schema.record))) {
      const keyColumns = Object.keys(row).filter((column) => row[column] === `the ${schema.record.key}`);
      writers.set(table, [...(writers.get(table) ?? []), { event: type, keyColumns }]);
    }
  }
  for (const [table, own] of writers) {
    if (!model.registers.includes(table)) findings.push(...unmerged(file, model, table, own));
  }
  const sql = readFileSync(path.join(root, 'schemas', model.sqlFile), 'utf8');
  return [...findings, ...registerFindings(file, model, sql), ...counterFindings(file, model, sql)];
}

function unmerged(file: string, model: Model, table: string, writers: Writer[]): string[] {
  const shared = writers[0]!.keyColumns.filter((column) =>
    writers.every((w) => w.keyColumns.includes(column)),
  );
  if (shared.length > 0) return [];
  const names = writers.map((writer) => writer.event).join(', ');
  return [
    `${file}: ${model.name}.${table} is written by events of different keys (${names}) and is no register, so arrival decides.`,
  ];
}

function registerFindings(file: string, model: Model, sql: string): string[] {
  return model.registers.flatMap((table) => {
    const text = tableText(sql, table);
    if (text === null) return [`${file}: ${model.name} has no table ${table} in schemas/${model.sqlFile}.`];
    const missing = ['live', 'event_time', 'event_id'].filter(
      (column) => !new RegExp(`^\\s*${column}\\s`, 'm').test(text),
    );
    const parts = missing.length > 0 ? [`lacks ${missing.join(', ')}`] : [];
    if (primaryKey(text).length === 0) parts.push('has no primary key');
    return parts.map(
      (part) =>
        `${file}: register ${model.name}.${table} ${part}, so it can't merge by (event time, event id).`,
    );
  });
}

/** A counter's key must never change during a row's life: it is part of the row's own. Derivations move by row. */
function counterFindings(file: string, model: Model, sql: string): string[] {
  const plain = model.counters.filter((counter) => !counter.of);
  return plain.flatMap(({ from, into, key }) => {
    const own = primaryKey(tableText(sql, from) ?? '');
    const loose = Object.values(key).filter((column) => !own.includes(column));
    return loose.map(
      (column) =>
        `${file}: ${model.name}.${into} counts ${from} by ${column}, which is not in its primary key.`,
    );
  });
}

function tableText(sql: string, table: string): string | null {
  return new RegExp(`CREATE TABLE ${table} \\(([\\s\\S]*?)\\n\\);`).exec(sql)?.[1] ?? null;
}

function primaryKey(text: string): string[] {
  const own = /PRIMARY KEY \(([^)]*)\)/.exec(text)?.[1];
  if (own) return own.split(',').map((column) => column.trim());
  const inline = /^\s*(\w+)\s[^,\n]*PRIMARY KEY/m.exec(text)?.[1];
  return inline ? [inline] : [];
}

/** An event whose every field says which one it is. */
function sampleOf(record: RecordType): Record<string, unknown> {
  const fields = record.fields.map((field) => [field.name, sampleValue(field.type, field.name)]);
  return { type: record.name, ...Object.fromEntries(fields) };
}

function sampleValue(type: AvroType, name: string): unknown {
  if (Array.isArray(type)) return sampleValue(type.find((branch) => branch !== 'null')!, name);
  if (typeof type === 'object' && type.type === 'record') return sampleOf(type as RecordType);
  if (typeof type === 'object' && type.type === 'array')
    return [sampleValue((type as { items: AvroType }).items, name)];
  const plain = typeof type === 'string' ? type : type.type;
  if (plain === 'boolean') return true;
  return ['int', 'long', 'float', 'double'].includes(plain) ? 1 : `the ${name}`;
}

export const keys: Check = {
  name: 'keys',
  about: 'events that write one row share its key, or the row merges by time',
  run,
};
