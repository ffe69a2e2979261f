import fc from 'fast-check';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrayParam, copyRows } from '../../platform/postgres/binary.ts';

let client: pg.Client;

beforeAll(async () => {
  client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
});

afterAll(() => client.end());

const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
const time = fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });
/** A value of each type, and the text by which Postgres takes the same. */
const values: Record<string, fc.Arbitrary<[value: unknown, asText: string]>> = {
  uuid: fc.uuid().map((value) => [value, value]),
  boolean: fc.boolean().map((value) => [value, String(value)]),
  smallint: fc.integer({ min: -32_768, max: 32_767 }).map((value) => [value, String(value)]),
  integer: fc.integer().map((value) => [value, String(value)]),
  bigint: fc.maxSafeInteger().map((value) => [value, String(value)]),
  'double precision': fc
    .double({ noNaN: true, noDefaultInfinity: true })
    // JavaScript writes -0 as 0; Postgres does not.
    .map((value) => [value, Object.is(value, -0) ? '-0' : String(value)]),
  'timestamp with time zone': time.map((value) => [value.getTime(), value.toISOString()]),
  date: time.map((value) => [value.toISOString().slice(0, 10), value.toISOString().slice(0, 10)]),
  text: text.map((value) => [value, value]),
  'character varying(40)': text.map((value) => [value.slice(0, 20), value.slice(0, 20)]),
  jsonb: fc
    .jsonValue()
    .filter((value) => value !== null && !JSON.stringify(value).includes('\\u0000'))
    .map((value) => [value, JSON.stringify(value)]),
};

describe.each(Object.keys(values))('%s', (type) => {
  const many = fc.array(fc.option(values[type]!, { freq: 8 }), { maxLength: 30 });

  it('as an array parameter is what its text is', async () => {
    await fc.assert(
      fc.asyncProperty(many, async (cells) => {
        const { rows } = await client.query(
          `SELECT $1::${type}[]::text AS binary, $2::text[]::${type}[]::text AS text`,
          [
            arrayParam(
              type,
              cells.map((cell) => cell?.[0]),
            ),
            cells.map((cell) => cell?.[1] ?? null),
          ],
        );
        expect(rows[0].binary).toBe(rows[0].text);
      }),
      { numRuns: 40 },
    );
  });

  it('in COPY, alone and in an array, is what its text is', async () => {
    await fc.assert(
      fc.asyncProperty(many, async (cells) => {
        await client.query(
          `DROP TABLE IF EXISTS pg_temp.copied; CREATE TEMP TABLE copied (n integer, one ${type}, more ${type}[])`,
        );
        const rows = copyRows(['integer', type, `${type}[]`]);
        const one = cells.map((cell) => cell?.[0]);
        for (const [n, value] of one.entries()) rows.add([n, value, one.slice(0, n)]);
        await copyInto('copied', rows.end());
        const found = await client.query('SELECT one::text, more::text FROM copied ORDER BY n');
        const wanted = await client.query(
          `SELECT $1::text[]::${type}[]::text AS every, o::${type}::text AS one FROM unnest($1::text[]) WITH ORDINALITY AS u (o, n) ORDER BY n`,
          [cells.map((cell) => cell?.[1] ?? null)],
        );
        expect(found.rows.map((row) => row.one)).toEqual(wanted.rows.map((row) => row.one));
        if (cells.length > 1) {
          const { rows: last } = await client.query(`SELECT $1::text[]::${type}[]::text AS more`, [
            cells.slice(0, -1).map((cell) => cell?.[1] ?? null),
          ]);
          expect(found.rows.at(-1).more).toBe(last[0].more);
        }
      }),
      { numRuns: 15 },
    );
  });
});

async function copyInto(table: string, bytes: Buffer): Promise<void> {
  const stream = client.query(copyFrom(`COPY ${table} FROM STDIN (FORMAT binary)`));
  await new Promise<void>((resolve, reject) => {
    stream.on('error', reject).on('finish', () => resolve());
    stream.end(bytes);
  });
}

describe('what a type does not take has the SQLSTATE that Postgres gives', () => {
  it.each([
    ['uuid', '0190b6a8-0000-7000-8000-00000000000'],
    ['uuid', '0190b6a8-0000-7000-8000-00000000000g'],
    ['uuid', '0190b6a800000700008000000000000000000'],
    ['integer', 2 ** 31],
    ['smallint', -32_769],
    ['integer', 'many'],
    ['timestamp with time zone', 'yesterday or so'],
    ['date', '2026-02-30'],
  ])('%s of %s', async (type, value) => {
    const theirs = await client
      .query(`SELECT $1::text::${type}`, [String(value)])
      .catch((error) => error.code);
    expect(() => arrayParam(type, [value])).toThrow(expect.objectContaining({ code: theirs }));
  });

  it('text with a NUL is refused by Postgres itself', async () => {
    const asked = client.query('SELECT $1::text[]', [arrayParam('text', ['a\0b'])]);
    await expect(asked).rejects.toMatchObject({ code: '22021' });
  });
});
