import { globSync, readFileSync } from 'node:fs';

interface AvroField {
  name: string;
  type: unknown;
  doc?: string;
  personal?: boolean;
  default?: unknown;
}

export interface AvroRecord {
  type: 'record';
  name: string;
  namespace?: string;
  doc?: string;
  topic?: string;
  key?: string;
  owner?: string;
  fields: AvroField[];
}

/** Every event record of schemas/<domain>/*.avsc in file order, and the envelope that they share. */
function readEventSchemas(root: string): { envelope: AvroRecord; events: AvroRecord[] } {
  const envelope = JSON.parse(readFileSync(`${root}/schemas/envelope.avsc`, 'utf8')) as AvroRecord;
  const files = globSync('schemas/*/*.avsc', { cwd: root })
    .filter((file) => !file.startsWith('schemas/released/'))
    .sort();
  const events = files.flatMap((file) => JSON.parse(readFileSync(`${root}/${file}`, 'utf8')) as AvroRecord[]);
  return { envelope, events };
}

/** The schema as the registry holds it: the envelope written out in place, our own attributes kept. */
function registrySchema(envelope: AvroRecord, event: AvroRecord): AvroRecord {
  const fields = event.fields.map((field) =>
    field.type === 'emulsion.Envelope' ? { ...field, type: envelope } : field,
  );
  return { ...event, fields };
}

function typeOf(type: unknown, personal: boolean): string {
  if (personal) return 'Personal';
  if (Array.isArray(type)) return type.map((branch) => typeOf(branch, false)).join(' | ');
  if (typeof type === 'object' && type !== null) {
    const complex = type as { type: string; items?: unknown; name?: string };
    if (complex.type === 'array') return `${typeOf(complex.items, false)}[]`;
    if (complex.type === 'record') return complex.name!;
    return typeOf(complex.type, false);
  }
  const names: Record<string, string> = {
    'emulsion.Envelope': 'Envelope',
    string: 'string',
    bytes: 'Buffer',
    boolean: 'boolean',
    int: 'number',
    long: 'number',
    double: 'number',
    null: 'null',
  };
  const found = names[type as string];
  if (!found) throw new Error(`no TypeScript type for Avro type ${JSON.stringify(type)}`);
  return found;
}

function nestedRecords(record: AvroRecord): AvroRecord[] {
  const found: AvroRecord[] = [];
  for (const field of record.fields) {
    const items = (field.type as { items?: AvroRecord } | null)?.items;
    if (items && typeof items === 'object' && items.type === 'record')
      found.push(items, ...nestedRecords(items));
  }
  return found;
}

function interfaceOf(record: AvroRecord, discriminated: boolean): string {
  const doc = record.doc ? `/** ${record.doc} */\n` : '';
  const tag = discriminated ? `  type: '${record.name}';\n` : '';
  const fields = record.fields.map((field) => {
    const note = field.doc ? `  /** ${field.doc} */\n` : '';
    return `${note}  ${field.name}: ${typeOf(field.type, field.personal === true && isBytes(field.type))};\n`;
  });
  return `${doc}export interface ${record.name} {\n${tag}${fields.join('')}}\n`;
}

function isBytes(type: unknown): boolean {
  return type === 'bytes' || (Array.isArray(type) && type.includes('bytes'));
}

function catalogEntry(envelope: AvroRecord, event: AvroRecord): string {
  const personal = event.fields.filter((field) => field.personal === true).map((field) => field.name);
  const entry = {
    topic: event.topic,
    key: event.key,
    owner: event.owner ?? null,
    personal,
    schema: registrySchema(envelope, event),
  };
  return `  ${event.name}: ${JSON.stringify(entry, null, 2).replaceAll('\n', '\n  ')},\n`;
}

/** The text of schemas/generated/events.ts. */
export function generateEvents(root: string): string {
  const { envelope, events } = readEventSchemas(root);
  const nested = new Map(events.flatMap(nestedRecords).map((record) => [record.name, record]));
  return [
    '// Generated from schemas/**/*.avsc by `npm run generate`. Do not edit.\n\n',
    "/** Encrypted in the log with its owner's data key; null when absent, or when its owner was erased. */\n",
    'export type Personal = string | null;\n\n',
    `${interfaceOf(envelope, false)}\n`,
    [...nested.values()].map((record) => `${interfaceOf(record, false)}\n`).join(''),
    events.map((event) => `${interfaceOf(event, true)}\n`).join(''),
    `export type Event =\n${events.map((event) => `  | ${event.name}`).join('\n')};\n\n`,
    "export type EventType = Event['type'];\n",
    'export type EventOf<T extends EventType> = Extract<Event, { type: T }>;\n\n',
    '/** What the codec and the log need to know of each event: its topic, key field, data-key owner, schema. */\n',
    `export const eventCatalog = {\n${events.map((event) => catalogEntry(envelope, event)).join('')}} as const;\n`,
  ].join('');
}
