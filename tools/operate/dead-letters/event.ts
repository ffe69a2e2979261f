import avro from 'avsc';
import { v7 } from 'uuid';
import { failure } from '../../../deploy/native/failure.ts';
import type { EventCatalog, SealedEvent } from '../../../platform/log/codec.ts';
import { loadDataKeys } from '../../../platform/vault/data-keys.ts';
import { type Event, eventCatalog } from '../../../schemas/generated/events.ts';
import type { Content, Desk } from './desk.ts';
import { addressOf, type Letter } from './letters.ts';

/** An event as an operator sees and writes it: `type`, `meta` and its fields; what is sealed is a mark. */
export type Shown = Record<string, unknown>;

const catalog: EventCatalog = eventCatalog;
/** Bytes that sealing adds to a text. */
const sealBytes = 29;
const markPattern = /^\(sealed, \d+ bytes; leave it to keep it\)$/;

/** Stands for a sealed value: how long it is and no more. */
function markOf(sealed: Buffer): string {
  return `(sealed, ${Math.max(0, sealed.length - sealBytes)} bytes; leave it to keep it)`;
}

/** The event with a mark in the place of everything personal. */
export function shown({ type, fields }: SealedEvent): Shown {
  const masked = Object.entries(fields).map(([name, value]) => [
    name,
    Buffer.isBuffer(value) ? markOf(value) : value,
  ]);
  return { type, ...Object.fromEntries(masked) };
}

/** What an edit starts from: the event as it is now, or an empty one of the type that the record's header names. */
export function startOf(content: Content, letter: Letter): Shown {
  if (content.is === 'event') return shown(content.sealed);
  const entry = letter.type ? catalog[letter.type] : undefined;
  if (!letter.type || !entry)
    throw failure(
      `Nothing says what ${addressOf(letter)} was meant to be.`,
      'Give the whole event with --file, its "type" and all.',
    );
  const { fields } = entry.schema as { fields: { name: string }[] };
  const empty = Object.fromEntries(fields.map(({ name }) => [name, null]));
  const meta = {
    ...{ id: letter.eventId ?? v7(), source: '/operator', time: letter.parkedAt.getTime(), actor: null },
    ...{ correlation: '0'.repeat(31).concat('1'), causation: null },
  };
  return { type: letter.type, ...empty, meta, [entry.key]: letter.key };
}

/** `field=value` pairs over an event; the value is text where the schema wants text, otherwise JSON. */
export function withSet(start: Shown, pairs: readonly string[]): Shown {
  const event = structuredClone(start);
  for (const pair of pairs) {
    const cut = pair.indexOf('=');
    if (cut < 1) throw failure(`${pair} sets nothing.`, 'Write --set field=value, or --set meta.time=….');
    const path = pair.slice(0, cut).split('.');
    const last = path.pop()!;
    const holder = path.reduce<unknown>((at, name) => (at as Shown | undefined)?.[name], event);
    if (typeof holder !== 'object' || holder === null || !(last in holder))
      throw failure(`The event has no ${pair.slice(0, cut)}.`, `It has ${Object.keys(event).join(', ')}.`);
    (holder as Shown)[last] = parsedFor(String(event.type), [...path, last], pair.slice(cut + 1));
  }
  return event;
}

function parsedFor(type: string, path: string[], text: string): unknown {
  const wanted = JSON.stringify(typeAt(catalog[type]?.schema, path) ?? 'null');
  const isText = /"(string|bytes)"/.test(wanted) && !/"(array|record)"/.test(wanted);
  if (isText) return text === 'null' && wanted.includes('"null"') ? null : text;
  try {
    return JSON.parse(text);
  } catch {
    throw failure(
      `${path.join('.')} takes JSON, and ${text} is none.`,
      'Quote it for the shell, if need be.',
    );
  }
}

function typeAt(schema: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => {
    const record = at as { fields?: { name: string; type: unknown }[] } | undefined;
    return record?.fields?.find((field) => field.name === name)?.type;
  }, schema);
}

/**
 * The record that an edited event is: event id, key and topic of the first, what was sealed and not touched as it was,
 * what is new and personal sealed by its owner's data key. Throws in words for what does not fit.
 */
export async function recordOf(desk: Desk, letter: Letter, content: Content, wanted: Shown): Promise<Buffer> {
  const before = content.is === 'event' ? content.sealed : null;
  const entry = catalog[String(wanted.type)];
  if (!entry || entry.topic !== letter.topic)
    throw failure(
      `${wanted.type} is no event of ${letter.topic}.`,
      `There are ${typesOf(letter.topic).join(', ')}.`,
    );
  const event = withKept(wanted, before);
  mustStay('meta.id', (event.meta as Shown | null)?.id, before?.meta.id ?? letter.eventId);
  mustStay(entry.key, event[entry.key], letter.key);
  mustFit(entry.schema, event);
  const owner = entry.owner === null ? null : (event[entry.owner] as string);
  if (before && owner !== before.owner && entry.personal.some((name) => Buffer.isBuffer(event[name])))
    throw failure(
      `What is sealed for ${before.owner} can not be given to ${owner}.`,
      `Set ${entry.personal.join(', ')} anew.`,
    );
  const isNew = entry.personal.some((name) => typeof event[name] === 'string');
  const key = isNew && owner !== null ? await keyOf(desk, owner) : null;
  return desk.codec.encode(event as unknown as Event, key).value;
}

function typesOf(topic: string): string[] {
  return Object.keys(catalog).filter((type) => catalog[type]!.topic === topic);
}

/** Marks that were left alone become what they stand for again. */
function withKept(wanted: Shown, before: SealedEvent | null): Shown {
  const event: Shown = { ...wanted };
  for (const [name, value] of Object.entries(wanted)) {
    if (typeof value !== 'string' || !markPattern.test(value)) continue;
    const sealed = before?.fields[name];
    if (!Buffer.isBuffer(sealed) || markOf(sealed) !== value)
      throw failure(`${name} is a mark of something that is not there.`, 'Write its text, or null.');
    event[name] = sealed;
  }
  return event;
}

function mustStay(name: string, is: unknown, was: string | null): void {
  if (was === null || is === was) return;
  throw failure(
    `${name} must stay ${was}.`,
    'It says whose row and which fact this is; discard the record instead.',
  );
}

/** Holds the event to its schema, naming the first field that is not as it should be. */
function mustFit(schema: object, event: Shown): void {
  const { type: _, ...fields } = event;
  const known = (schema as { fields: { name: string }[] }).fields.map(({ name }) => name);
  const unknown = Object.keys(fields).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw failure(`The event has no ${unknown.join(', ')}.`, `It has ${known.join(', ')}.`);
  const personal = (schema as { fields: { name: string; personal?: boolean }[] }).fields.filter(
    (f) => f.personal,
  );
  const sealed = personal.filter(({ name }) => typeof fields[name] === 'string');
  const filled = { ...fields, ...Object.fromEntries(sealed.map(({ name }) => [name, Buffer.alloc(1)])) };
  const wrong: string[] = [];
  avro.Type.forSchema(schema as avro.Schema).isValid(filled, {
    errorHook: (path, value, type) => {
      wrong.push(`${path.join('.')} must be ${nameOf(type)} and is ${JSON.stringify(value) ?? 'missing'}`);
    },
  });
  if (wrong.length > 0)
    throw failure(`The event does not fit its schema: ${wrong.join('; ')}.`, 'Set it right.');
}

function nameOf(type: unknown): string {
  const schema = (type as { schema?(): unknown }).schema?.();
  return typeof schema === 'string' ? schema : JSON.stringify(schema);
}

async function keyOf({ pool, master }: Desk, owner: string): Promise<Buffer> {
  const key = (await loadDataKeys(pool, master, [owner], { share: false })).get(owner);
  if (key) return key;
  throw failure(
    `${owner} has no data key: the account was erased, or there never was one.`,
    'Discard the record, or set what is personal in it to null.',
  );
}
