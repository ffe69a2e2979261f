import { to } from 'pg-copy-streams';
import type { Client } from '../../../platform/postgres/pool.ts';
import {
  createScratch,
  type Digest,
  putCell,
  putPersonal,
  putText,
  reserve,
  type Scratch,
} from '../bytes/cells.ts';
import type { Layout } from '../bytes/layout.ts';
import { type ColumnKind, canonicalJson } from '../spec.ts';

/** A row as it was found: which table, whether its owner's data key was there, then the row (layout.ts). */
export const rowHead = 2;
export const keyWasThere = 1;

const canonicalSql: Record<ColumnKind, (column: string) => string> = {
  plain: (column) => `t.${column}::text`,
  time: (column) => `(extract(epoch FROM t.${column}) * 1000000)::bigint::text`,
  ids: (column) => `array_to_string(t.${column}, ',')`,
  json: (column) => `t.${column}::text`,
};

/** Gives every row of a table as bytes, in whatever order; they are only good until the next one. */
export async function readRows(
  client: Client,
  schema: string,
  layout: Layout,
  digest: Digest,
  take: (bytes: Buffer, length: number) => void,
): Promise<void> {
  const scratch = createScratch();
  const parse = tupleParser((fields) => {
    putFound(scratch, layout, digest, fields);
    take(scratch.bytes, scratch.length);
  });
  const stream = client.query(to(`COPY (${selectOf(schema, layout)}) TO STDOUT (FORMAT binary)`));
  for await (const chunk of stream) parse(chunk as Buffer);
}

function selectOf(schema: string, layout: Layout): string {
  const cells = layout.columns.map((name, index) => canonicalSql[layout.kinds[index]!](name));
  const stamp = layout.isRegister
    ? ['t.live', '(extract(epoch FROM t.event_time) * 1000000)::bigint', 't.event_id']
    : [];
  const key = layout.owner
    ? `EXISTS (SELECT FROM vault.data_key k WHERE k.owner = t.${layout.owner}::text)`
    : 'false';
  return `SELECT ${[key, ...stamp, ...cells].join(', ')} FROM ${schema}.${layout.table} t`;
}

/** Where the fields of a tuple lie; length -1 is null. */
interface Fields {
  bytes: Buffer;
  starts: number[];
  lengths: number[];
}

function putFound(scratch: Scratch, layout: Layout, digest: Digest, fields: Fields): void {
  const { bytes, starts, lengths } = fields;
  scratch.length = 0;
  reserve(scratch, rowHead + 25);
  scratch.bytes[scratch.length++] = layout.index;
  scratch.bytes[scratch.length++] = bytes[starts[0]!] === 1 ? keyWasThere : 0;
  const stamp = layout.isRegister ? 3 : 0;
  for (let field = 1; field <= stamp; field += 1) {
    const start = starts[field]!;
    bytes.copy(scratch.bytes, scratch.length, start, start + lengths[field]!);
    scratch.length += lengths[field]!;
  }
  for (let cell = 0; cell < layout.columns.length; cell += 1) {
    const start = starts[cell + 1 + stamp]!;
    putField(scratch, layout, cell, digest, bytes, start, lengths[cell + 1 + stamp]!);
  }
}

function putField(
  scratch: Scratch,
  layout: Layout,
  cell: number,
  digest: Digest,
  bytes: Buffer,
  start: number,
  length: number,
): void {
  const text = (): string => bytes.toString('utf8', start, start + length);
  if (length === -1) putCell(scratch, null);
  else if (layout.personal.has(layout.columns[cell]!)) putPersonal(scratch, text(), digest);
  else if (layout.kinds[cell] === 'json') putCell(scratch, canonicalJson(JSON.parse(text())));
  else putText(scratch, bytes, start, length);
}

const signatureBytes = 19;

/** Takes the chunks of Postgres' binary COPY and gives its tuples. */
function tupleParser(take: (fields: Fields) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let began = false;
  const fields: Fields = { bytes: rest, starts: [], lengths: [] };
  return (chunk) => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    if (!began && bytes.length >= signatureBytes) {
      began = true;
      at = signatureBytes + bytes.readUInt32BE(signatureBytes - 4);
    }
    fields.bytes = bytes;
    while (began) {
      const end = tupleEnd(fields, at);
      if (end === -1) break;
      if (fields.starts.length > 0) take(fields);
      at = end;
    }
    rest = bytes.subarray(at);
  };
}

/** Finds the fields of the tuple that begins here and gives its end; -1 when it is not all there yet. */
function tupleEnd(fields: Fields, begin: number): number {
  const { bytes } = fields;
  fields.starts.length = 0;
  fields.lengths.length = 0;
  if (begin + 2 > bytes.length) return -1;
  const count = bytes.readInt16BE(begin);
  let at = begin + 2;
  for (let field = 0; field < count; field += 1) {
    if (at + 4 > bytes.length) return -1;
    const length = bytes.readInt32BE(at);
    at += 4;
    fields.starts.push(at);
    fields.lengths.push(length);
    at += Math.max(0, length);
  }
  return at > bytes.length ? -1 : at;
}
