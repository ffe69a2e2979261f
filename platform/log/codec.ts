import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import avro from 'avsc';
import { currentTrace } from '../telemetry/trace.ts';
import { openWith, sealWith } from '../vault/master-key.ts';
import type { EncodedRecord } from './appender.ts';

/** What the codec needs of each event; schemas/generated/events.ts has it for ours. */
export type EventCatalog = Readonly<
  Record<
    string,
    { topic: string; key: string; owner: string | null; personal: readonly string[]; schema: object }
  >
>;

/** What every event has; the room that uses the codec names its own union. */
export interface AnyEvent {
  type: string;
  meta: { id: string; time: number; correlation: string };
}

/** An event as it lies in the log: its personal fields are still ciphertext. */
export interface SealedEvent {
  type: string;
  meta: AnyEvent['meta'];
  /** Whose data key reveals it; null when nothing in it is personal. */
  owner: string | null;
  fields: Record<string, unknown>;
}

export interface Codec<E extends AnyEvent> {
  /** Wire format of the registry, personal fields encrypted with the owner's key (event id and field name as AAD). */
  encode(event: E, dataKey: Buffer | null): EncodedRecord;
  /** Loads the writers' schemas of these values; then decode is synchronous. */
  prepare(values: Iterable<Buffer>): Promise<void>;
  decode(value: Buffer): SealedEvent;
  /** Personal fields as text; null where the owner was erased. Throws when a ciphertext is not what was sealed. */
  reveal(sealed: SealedEvent, keyOf: (owner: string) => Buffer | undefined): E;
}

/** A codec of whoever only reads, and may see less of an event than is written (CodecOptions.envelope). */
export type Decoder<E extends AnyEvent> = Omit<Codec<E>, 'encode'>;

/** A record that no retry will ever decode: its key is parked (DESIGN §2 rule 6). */
export class Undecodable extends Error {
  override name = 'Undecodable';
}

/** Consumers are deployed first, so this is our own mistake: the projection stops and says so. */
export class UnknownEventType extends Error {
  override name = 'UnknownEventType';
}

export interface CodecOptions {
  registryUrl: string;
  catalog: EventCatalog;
  prefix: string;
  /**
   * The fields of the envelope that are decoded; all of them unless said. Most of a small event is its envelope, so
   * leaving out what nobody looks at is three times as fast.
   */
  envelope?: readonly string[];
}

interface Reader {
  type: string;
  owner: string | null;
  schema: avro.Type;
  resolver: avro.Resolver | undefined;
}

interface Writer {
  id: number;
  schema: avro.Type;
}

function subjectOf(prefix: string, topic: string, record: { namespace?: string; name: string }): string {
  return `${prefix}${topic}-${record.namespace}.${record.name}`;
}

function typesOf(catalog: EventCatalog): Map<string, avro.Type> {
  return new Map(
    Object.entries(catalog).map(([type, entry]) => [type, avro.Type.forSchema(entry.schema as avro.Schema)]),
  );
}

/** The same types with these fields of the envelope only: Avro passes over what a reader's schema does not name. */
function briefTypesOf(catalog: EventCatalog, envelope: readonly string[]): Map<string, avro.Type> {
  return new Map(
    Object.entries(catalog).map(([type, entry]) => {
      const schema = structuredClone(entry.schema) as avro.schema.RecordType;
      const meta = schema.fields.find(({ name }) => name === 'meta')!.type as avro.schema.RecordType;
      meta.fields = meta.fields.filter(({ name }) => envelope.includes(name));
      return [type, avro.Type.forSchema(schema)];
    }),
  );
}

function openRegistry(url: string): SchemaRegistry {
  return new SchemaRegistry({ host: url, retry: { retries: 5, initialRetryTimeInSecs: 0.2 } });
}

/**
 * Registers every schema of the catalog under FULL_TRANSITIVE. The level is set before the first registration: the
 * client does it after, and a crash between the two would leave a subject without any.
 */
export async function registerSchemas(options: CodecOptions): Promise<void> {
  const registry = openRegistry(options.registryUrl);
  for (const entry of Object.values(options.catalog)) {
    const subject = subjectOf(options.prefix, entry.topic, entry.schema as never);
    const answer = await fetch(`${options.registryUrl}/config/${encodeURIComponent(subject)}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ compatibility: 'FULL_TRANSITIVE' }),
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok)
      throw new Error(`The schema registry refused the compatibility level of ${subject}: ${answer.status}`);
    const schema = { type: SchemaType.AVRO as const, schema: JSON.stringify(entry.schema) };
    await registry
      .register(schema, { subject, compatibility: COMPATIBILITY.FULL_TRANSITIVE })
      .catch((error) => throwRefusal(subject, error));
  }
}

function throwRefusal(subject: string, error: { status?: number; message: string }): never {
  if (error.status !== 409) throw error;
  throw new Error(
    `The schema of ${subject} is not FULL_TRANSITIVE with what this log was written with: make the edit compatible, ` +
      'or, if the data is a trial from before the first release, throw it away (npx emulsion reset).',
    { cause: error },
  );
}

/** Opens the codec of a process; throws when a schema of the catalog is not registered. */
export async function openCodec<E extends AnyEvent>(options: CodecOptions): Promise<Codec<E>> {
  const registry = openRegistry(options.registryUrl);
  const types = typesOf(options.catalog);
  const readersByType = options.envelope ? briefTypesOf(options.catalog, options.envelope) : types;
  const writers = await writersOf(registry, options, types);
  const readers = new Map<number, Reader>();
  /** Ids of which the registry has said that there is no such schema: nobody can ever read what names one. */
  const unknown = new Set<number>();
  for (const [type, writer] of writers)
    readers.set(writer.id, readerOf(options, readersByType, type, writer.schema));

  const load = async (id: number): Promise<void> => {
    const schema = (await registry.getSchema(id).catch(noneIfUnknown)) as unknown as avro.Type | null;
    if (!schema) return void unknown.add(id);
    unknown.delete(id);
    const type = schema.name?.split('.').pop() ?? '';
    readers.set(id, readerOf(options, readersByType, type, schema));
  };

  return {
    encode: (event, dataKey) => encodeEvent(event, dataKey, options.catalog, writers),
    async prepare(values) {
      const missing = new Set<number>();
      for (const value of values) {
        if (value.length > 5 && value[0] === 0 && !readers.has(value.readInt32BE(1)))
          missing.add(value.readInt32BE(1));
      }
      for (const id of missing) await load(id);
    },
    decode: (value) => decodeEvent(value, readers, unknown),
    reveal: (sealed, keyOf) => revealEvent(sealed, keyOf, options.catalog) as E,
  };
}

function noneIfUnknown(error: { status?: number }): null {
  if (error.status === 404) return null;
  throw error;
}

async function writersOf(
  registry: SchemaRegistry,
  options: CodecOptions,
  types: Map<string, avro.Type>,
): Promise<Map<string, Writer>> {
  const entries = Object.entries(options.catalog).map(async ([type, entry]) => {
    const subject = subjectOf(options.prefix, entry.topic, entry.schema as never);
    const schema = { type: SchemaType.AVRO as const, schema: JSON.stringify(entry.schema) };
    const id = await registry.getRegistryIdBySchema(subject, schema).catch((error: Error) => {
      throw new Error(
        `The schema of ${type} is not registered (${error.message}). Run \`emulsion up\` to register it.`,
      );
    });
    return [type, { id, schema: types.get(type)! }] as const;
  });
  return new Map(await Promise.all(entries));
}

function readerOf(
  options: CodecOptions,
  types: Map<string, avro.Type>,
  type: string,
  writer: avro.Type,
): Reader {
  const schema = types.get(type);
  const entry = options.catalog[type];
  if (!schema || !entry)
    throw new UnknownEventType(
      `The log holds an event ${type} that this version does not know. Deploy consumers first.`,
    );
  const resolver = schema.equals(writer) ? undefined : schema.createResolver(writer);
  return { type, owner: entry.owner, schema, resolver };
}

function encodeEvent<E extends AnyEvent>(
  event: E,
  dataKey: Buffer | null,
  catalog: EventCatalog,
  writers: Map<string, Writer>,
): EncodedRecord {
  const entry = catalog[event.type]!;
  const writer = writers.get(event.type)!;
  const fields = event as unknown as Record<string, unknown>;
  const record: Record<string, unknown> = { ...fields };
  for (const field of entry.personal) {
    if (typeof fields[field] !== 'string') continue;
    if (!dataKey) throw new Error(`${event.type}.${field} is personal and there is no data key of its owner`);
    record[field] = sealWith(dataKey, Buffer.from(fields[field] as string), `${event.meta.id}.${field}`);
  }
  const head = Buffer.alloc(5);
  head.writeInt32BE(writer.id, 1);
  return {
    topic: entry.topic,
    key: fields[entry.key] as string,
    value: Buffer.concat([head, writer.schema.toBuffer(record)]),
    headers: {
      ce_id: event.meta.id,
      ce_type: event.type,
      traceparent: currentTrace()?.traceparent ?? `00-${event.meta.correlation}-${'0'.repeat(15)}1-01`,
    },
  };
}

/** Milliseconds before and after the epoch that a Date can say. */
const lastMoment = 8.64e15;

function decodeEvent(
  value: Buffer,
  readers: ReadonlyMap<number, Reader>,
  unknown: ReadonlySet<number>,
): SealedEvent {
  if (value.length < 6 || value[0] !== 0) throw new Undecodable('not in the wire format of the registry');
  const id = value.readInt32BE(1);
  const reader = readers.get(id);
  if (!reader && unknown.has(id)) throw new Undecodable(`the registry has no schema ${id}`);
  if (!reader) throw new Error(`schema ${id} was not prepared`);
  try {
    const { value: decoded, offset } = reader.schema.decode(value, 5, reader.resolver);
    if (offset !== value.length) throw new Error(offset < 0 ? 'truncated' : 'trailing data');
    const fields = decoded as Record<string, unknown>;
    const owner = reader.owner === null ? null : (fields[reader.owner] as string);
    const meta = fields.meta as AnyEvent['meta'];
    // Postgres would take it, and every read of the row would fail.
    if (Math.abs(meta.time) > lastMoment) throw new Error(`its time is beyond all dates`);
    return { type: reader.type, meta, owner, fields };
  } catch (error) {
    throw new Undecodable(`does not decode as ${reader.type}: ${(error as Error).message}`);
  }
}

function revealEvent(
  sealed: SealedEvent,
  keyOf: (owner: string) => Buffer | undefined,
  catalog: EventCatalog,
): Record<string, unknown> {
  const { fields } = sealed;
  fields.type = sealed.type;
  if (sealed.owner === null) return fields;
  const key = keyOf(sealed.owner);
  for (const field of catalog[sealed.type]!.personal) {
    const sealedText = fields[field];
    if (!Buffer.isBuffer(sealedText)) continue;
    fields[field] = key ? openField(key, sealedText, `${sealed.meta.id}.${field}`) : null;
  }
  return fields;
}

function openField(key: Buffer, sealedText: Buffer, aad: string): string {
  try {
    return openWith(key, sealedText, aad).toString('utf8');
  } catch (error) {
    throw new Undecodable(`${aad} does not decrypt: ${(error as Error).message}`);
  }
}
