import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { failure } from '../../../deploy/native/failure.ts';
import type { Reactor } from './holdings.ts';
import type { RegistryCopy } from './registry.ts';

/*
 * A backup is text, gzipped: a line of JSON (Header), then each table as pg_dump would write it (a COPY line, a line a
 * row in COPY's text format, a line with `\.`), a line of JSON (Trailer), and a line with the SHA-256 of all before.
 */

export interface Header {
  format: 1;
  /** RFC 3339. */
  madeAt: string;
  /** Of the log that goes with it. */
  prefix: string;
  partitions: number;
  migrations: string[];
  reactors: Reactor[];
  consumers: string[];
}

export interface Trailer {
  /** By table. */
  rows: Record<string, number>;
  /** The next offset of each partition when the rows were read, by topic. */
  heads: Record<string, number[]>;
  registry: RegistryCopy;
}

export interface Table {
  table: string;
  columns: string[];
}

const format = 1;
const endOfRows = '\\.';

/**
 * Writes a backup for its owner's eyes alone, aside, and gives it its name when it is whole and on the disk. `trailer`
 * is asked for after the last row.
 */
export async function writeBackup(
  file: string,
  header: Omit<Header, 'format'>,
  tables: AsyncIterable<Table & { rows: AsyncIterable<Buffer> }>,
  trailer: () => Promise<Omit<Trailer, 'rows'>>,
): Promise<Trailer['rows']> {
  const rows: Trailer['rows'] = {};
  const hash = createHash('sha256');
  const hashed = (piece: Buffer | string): Buffer | string => {
    hash.update(piece);
    return piece;
  };
  async function* pieces(): AsyncGenerator<Buffer | string> {
    yield hashed(`${JSON.stringify({ format, ...header })}\n`);
    for await (const { table, columns, rows: chunks } of tables) {
      yield hashed(`COPY ${table} (${columns.join(', ')})\n`);
      rows[table] = 0;
      for await (const chunk of chunks) {
        rows[table] += countLines(chunk);
        yield hashed(chunk);
      }
      yield hashed(`${endOfRows}\n`);
    }
    yield hashed(`${JSON.stringify({ rows, ...(await trailer()) })}\n`);
    yield `sha256 ${hash.digest('hex')}\n`;
  }
  const aside = `${file}.part`;
  try {
    await pipeline(
      Readable.from(pieces(), { objectMode: false }),
      createGzip(),
      createWriteStream(aside, { flags: 'wx', mode: 0o600, flush: true }),
    );
    await rename(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rm(aside, { force: true });
    throw error;
  }
  return rows;
}

/**
 * Reads a backup through, handing each table to `take`, which must read all of its rows (whole lines of COPY's text
 * format). Throws a failure unless every byte is as it was written.
 */
export async function readBackup(
  file: string,
  take: (table: Table, rows: AsyncIterable<Buffer>) => Promise<void>,
): Promise<{ header: Header; trailer: Trailer }> {
  const handle = await open(file).catch((error: Error) => {
    throw failure(
      `${file} can not be read: ${error.message}.`,
      'Name the file that emulsion backup made.',
      error,
    );
  });
  const hash = createHash('sha256');
  const gunzip = createGunzip();
  const source = handle.createReadStream().on('error', (error) => gunzip.destroy(error));
  try {
    return await readThrough(file, openLines(source.pipe(gunzip), hash), hash, take);
  } catch (error) {
    if (!isBrokenFile(error)) throw error;
    throw notWhole(file, (error as Error).message);
  } finally {
    source.destroy();
  }
}

async function readThrough(
  file: string,
  lines: Lines,
  hash: Hash,
  take: (table: Table, rows: AsyncIterable<Buffer>) => Promise<void>,
): Promise<{ header: Header; trailer: Trailer }> {
  const header = parsed(file, await lines.next()) as Header;
  if (header.format !== format)
    throw failure(
      `${file} has the format ${header.format}; this release reads ${format}.`,
      'Restore it with the release that made it.',
    );
  for (let line = await lines.next(); ; line = await lines.next()) {
    const [, table, columns] = /^COPY (\S+) \((.*)\)$/.exec(line) ?? [];
    if (table) {
      await take({ table, columns: columns!.split(', ') }, lines.until(endOfRows));
      continue;
    }
    const trailer = parsed(file, line) as Trailer;
    const said = `sha256 ${hash.copy().digest('hex')}`;
    if ((await lines.next()) !== said) throw notWhole(file, 'its checksum is another');
    return { header, trailer };
  }
}

function parsed(file: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw notWhole(file, 'it is no backup of ours');
  }
}

/** What zlib says of a cut or changed file. */
function isBrokenFile(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'Z_BUF_ERROR' || code === 'Z_DATA_ERROR';
}

function notWhole(file: string, why: string): Error {
  return failure(
    `${file} is not a whole backup: ${why}.`,
    'Take the one before it, or another copy of this one.',
  );
}

export function countLines(chunk: Buffer): number {
  let lines = 0;
  for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
  return lines;
}

interface Lines {
  /** The next line. Throws at the end. */
  next(): Promise<string>;
  /** All lines before one that is `end`, some whole ones at a time. */
  until(end: string): AsyncGenerator<Buffer>;
}

/** `hash` is given all that was read so far. */
function openLines(source: AsyncIterable<Buffer>, hash: Hash): Lines {
  const chunks = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<void> => {
    const { value, done } = await chunks.next();
    if (done) throw Object.assign(new Error('it ends in the middle'), { code: 'Z_BUF_ERROR' });
    held = held.length === 0 ? value : Buffer.concat([held, value]);
  };
  const taken = (length: number): Buffer => {
    const piece = held.subarray(0, length);
    held = held.subarray(length);
    hash.update(piece);
    return piece;
  };
  return {
    async next() {
      while (!held.includes(10)) await more();
      return taken(held.indexOf(10) + 1)
        .subarray(0, -1)
        .toString();
    },
    async *until(end) {
      const mark = Buffer.from(`${end}\n`);
      for (;;) {
        while (!held.includes(10)) await more();
        const at = placeOf(held, mark);
        const rows = taken(at === -1 ? held.lastIndexOf(10) + 1 : at);
        if (rows.length > 0) yield rows;
        if (at === -1) continue;
        taken(mark.length);
        return;
      }
    },
  };
}

/** Where a line begins that is `mark`; -1 when no whole one does. */
function placeOf(held: Buffer, mark: Buffer): number {
  if (held.subarray(0, mark.length).equals(mark)) return 0;
  const found = held.indexOf(Buffer.concat([Buffer.from('\n'), mark]));
  return found === -1 ? -1 : found + 1;
}
