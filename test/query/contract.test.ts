import { EventEmitter } from 'node:events';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createBinder } from '../../platform/http/bind.ts';
import { defaultBodyLimit } from '../../platform/http/body.ts';
import { httpProblems } from '../../platform/http/problems.ts';
import type { Redis } from '../../platform/redis/redis.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import type { Scope } from '../../query-api/scope.ts';
import { boundRoutes } from '../../query-api/server.ts';
import { register } from '../../schemas/account/auth.http.ts';
import { editProfile } from '../../schemas/account/user.http.ts';
import { publishPost } from '../../schemas/content/post.http.ts';
import { problems } from '../../schemas/problems.ts';
import { allRoutes } from '../../schemas/routes.ts';
import { pageQuery } from '../../schemas/shapes.ts';
import { countCharacters, isBlank, line, lines } from '../../schemas/text.ts';
import { generateOpenapi } from '../../tools/generate/openapi.ts';

const mediaId = '0190a000-0000-7000-8000-000000000001';
const family = '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}\u200D\u{1F466}';

describe('contracts', () => {
  it('name each route once, and each address and method once', () => {
    const names = allRoutes.map((route) => route.name);
    const places = allRoutes.map((route) => `${route.method} ${route.path.replaceAll(/\{\w+\}/g, '{}')}`);
    expect([new Set(names).size, new Set(places).size]).toEqual([names.length, places.length]);
  });

  it('take parameters for every brace of the path', () => {
    for (const { path, params } of allRoutes) {
      const braces = [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
      expect(Object.keys(params?.shape ?? {})).toEqual(braces);
    }
  });

  it('ask every create for a key, and no read', () => {
    for (const { method, success, idempotencyKey } of allRoutes) {
      if (success.status === 201) expect(idempotencyKey).toBe('required');
      if (method === 'get') expect(idempotencyKey).toBeUndefined();
    }
  });

  it('of query-api are all served by it', () => {
    const hooks = { verify: async () => expect.fail(), open: async () => expect.fail() };
    const room = {
      handle: createBinder<Scope>(hooks),
      log: createLogger('test', 'silent'),
      redis: new EventEmitter() as Redis,
      prefix: '',
      publicUrl: '',
    };
    const served = boundRoutes(room).map(({ contract }) => contract.name);
    const promised = allRoutes.filter(({ service }) => service === 'query').map(({ name }) => name);
    expect(served.sort()).toEqual(promised.sort());
  });

  it('take every text that a person writes by the one type of it', () => {
    const places: string[] = [];
    for (const { name, params, query, body } of allRoutes)
      for (const part of [params, query, body])
        if (part) places.push(...looseTexts(name, z.toJSONSchema(part, { io: 'input' })));
    // Nobody reads these: secrets, and what is compared with what we have made, as cursors are.
    expect(places.filter((place) => !place.endsWith(' cursor')).sort()).toEqual([
      'eraseAccount password',
      'login password',
      'openStream token',
      'openStream types',
      'refresh refreshToken',
      'register password',
    ]);
  });

  it('document the problems of HTTP itself as they are', () => {
    expect(problems).toMatchObject(httpProblems);
  });
});

describe('a body', () => {
  it('that its route would take fits into the limit of it, however its client escapes it', () => {
    for (const { name, body, bodyLimit = defaultBodyLimit } of allRoutes) {
      const most = body ? longest(z.toJSONSchema(body, { io: 'input' })) : 0;
      expect(most, name).toBeLessThanOrEqual(bodyLimit);
      expect(bodyLimit, name).toBeLessThan(1_000_000);
    }
  });
});

/** Bytes of JSON: of a character outside of the first plane two escapes of six; of what has a fixed form, a line. */
function longest(schema: Schema): number {
  const { type, maxLength = 80, properties = {}, anyOf = [], items, maxItems = 1 } = schema;
  if (anyOf.length > 0) return Math.max(...anyOf.map((inner) => longest(inner as Schema)));
  if (type === 'string') return 12 * maxLength + 2;
  if (type === 'array') return 2 + maxItems * (1 + longest(items as Schema));
  const fields = Object.entries(properties).map(
    ([name, inner]) => name.length + 4 + longest(inner as Schema),
  );
  return type === 'object' ? fields.reduce((sum, length) => sum + length, 2) : 20;
}

type Schema = z.core.JSONSchema.BaseSchema;

/** Strings of a schema that are neither of a fixed form nor counted as a person counts. */
function looseTexts(place: string, schema: Schema): string[] {
  const { type, format, pattern, description = '', properties = {}, anyOf = [], items } = schema;
  if (type === 'string' && !format && !pattern && !schema.enum && !description.includes('as a person counts'))
    return [place];
  return [
    ...Object.entries(properties).flatMap(([name, inner]) => looseTexts(`${place} ${name}`, inner as Schema)),
    ...[...anyOf, ...(items ? [items] : [])].flatMap((inner) => looseTexts(place, inner as Schema)),
  ];
}

describe('the OpenAPI document', () => {
  const document = JSON.parse(generateOpenapi());

  it('has every route, and schemas that compile', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'api', ...document });
    let compiled = 0;
    for (const { path, method, success } of allRoutes) {
      const operation = document.paths[path][method];
      const at = (...steps: string[]): string =>
        `api#/${['paths', path, method, ...steps].map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
      for (const status of Object.keys(operation.responses)) {
        for (const type of Object.keys(operation.responses[status].content ?? {})) {
          ajv.compile({ $ref: at('responses', status, 'content', type, 'schema') });
          compiled += 1;
        }
      }
      expect(operation.responses[success.status]).toBeDefined();
    }
    expect(compiled).toBeGreaterThan(allRoutes.length);
  });

  it('refuses answers with fields that are not in it', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'api', ...document });
    const validate = ajv.compile({ $ref: 'api#/components/schemas/Author' });
    const author = { id: mediaId, username: 'ann', fullName: 'Ann', avatarUrl: null };
    expect([validate(author), validate({ ...author, email: 'a@b.co' })]).toEqual([true, false]);
  });
});

describe('text', () => {
  const cleaned = (text: string): string => lines({ min: 0, max: 500 }).parse(text);

  it('is counted as a person counts', () => {
    expect(countCharacters(`${family}e\u0301\u{1F1E9}\u{1F1EA}`)).toBe(3);
    expect(countCharacters('a\u200b\u200b\u2060\ufeff b\u2066\u2069')).toBe(3);
    for (const one of [
      family,
      '\u{1F1E9}\u{1F1EA}',
      '\u{1F44D}\u{1F3FF}',
      '1\ufe0f\u20e3',
      'e\u0301',
      '한',
    ]) {
      expect(lines({ min: 0, max: 150 }).safeParse(one.repeat(150)).success, one).toBe(true);
      expect(lines({ min: 0, max: 150 }).safeParse(one.repeat(151)).success, one).toBe(false);
      expect(line({ min: 5, max: 100 }).safeParse(one.repeat(4)).success, one).toBe(false);
      expect(line({ min: 5, max: 100 }).safeParse(one.repeat(5)).success, one).toBe(true);
    }
  });

  it('is not made long by what shows as nothing', () => {
    for (const nothing of ['\u200b', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u{e0061}', '\u3164'])
      expect(line({ min: 5, max: 100 }).safeParse(`Ann${nothing.repeat(20)}`).success, nothing).toBe(false);
  });

  it('has a hard limit, however few characters it shows as', () => {
    for (const much of [
      `a${'\u0301'.repeat(5_000)}`,
      `a${'\u200b'.repeat(5_000)}b`,
      `a${'\u{e0061}'.repeat(1_500)}`,
    ])
      expect(lines({ min: 0, max: 150 }).safeParse(much).success).toBe(false);
    // Three code points each once it is normalised.
    expect(lines({ min: 0, max: 150 }).safeParse('\u{1D160}'.repeat(1_000)).success).toBe(false);
  });

  it('is blank when nothing of it shows, whatever it is made of', () => {
    const blanks = everyCodePoint.filter((text) =>
      /[\p{White_Space}\p{Default_Ignorable_Code_Point}]/v.test(text),
    );
    expect(blanks.length).toBeGreaterThan(4_000);
    for (const text of [...blanks, '\u2800', '\u{1d159}', '\ufff9', '\u0000', '']) {
      expect(isBlank(text), JSON.stringify(text)).toBe(true);
      expect(line({ min: 1, max: 30 }).safeParse(text + text).success, JSON.stringify(text)).toBe(false);
    }
    expect(isBlank(blanks.join(''))).toBe(true);
    expect(isBlank('\u200f\u05d0')).toBe(false);
  });

  it('loses control characters and marks that reorder what stands beside it', () => {
    expect(line({ min: 1, max: 30 }).parse(' a\u0000b\u202ec\nd\u2028e\u2029f\u0085g ')).toBe('abcdefg');
    expect(lines({ min: 1, max: 30 }).parse('a\r\nb\tc\u0007\u2028d\u2029e\u0085f')).toBe('a\nb\tc\nd\ne\nf');
    expect(line({ min: 1, max: 30 }).parse('\ud800x\udc00')).toBe('\ufffdx\ufffd');
  });

  it.each([
    ['that are whole stay', 'a \u2067אב \u2068c\u2069\u2069 d', 'a \u2067אב \u2068c\u2069\u2069 d'],
    ['that never close are taken out', 'a\u2067b\u2066c', 'abc'],
    ['that close what was never opened, too', 'a\u2069b\u2069', 'ab'],
    ['are paired from the inside out', '\u2067a\u2066b\u2069', 'a\u2066b\u2069'],
    ['do not reach into the next line', 'a\u2067b\nc\u2069d', 'ab\ncd'],
    ['around an override lose that', '\u2066\u202ea\u202c\u2069', '\u2066a\u2069'],
  ])('isolates %s', (_what, text, expected) => {
    expect(cleaned(text)).toBe(expected);
  });

  it('is bounded in its directions, and stays the same when cleaned again', () => {
    const unit = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      fc.constantFrom(...'\u2066\u2067\u2068\u2069\u202a\u202b\u202c\u202d\u202e\n\r\u0000 \ud800\u0301a'),
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 50 }), (text) => {
        const once = cleaned(text);
        expect(cleaned(once)).toBe(once);
        expect(once.isWellFormed()).toBe(true);
        expect(once).not.toMatch(/[\u202a-\u202e\0]/u);
        for (const part of once.split('\n')) expect(openIsolates(part)).toBe(0);
      }),
    );
  });
});

const everyCodePoint = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code));

/** How many isolates are open at the end; NaN when one is closed that none has opened. */
function openIsolates(text: string): number {
  let open = 0;
  for (const mark of text.replace(/[^\u2066-\u2069]/gu, '')) {
    open += mark === '\u2069' ? -1 : 1;
    if (open < 0) return Number.NaN;
  }
  return open;
}

describe('a limit of a page', () => {
  const limitOf = (limit: unknown) => pageQuery.safeParse({ limit }).data?.limit;

  it.each(['1', '20', '100'])('%s is plain digits', (text) => expect(limitOf(text)).toBe(Number(text)));

  it.each([
    '1e1',
    '0x10',
    '+5',
    '-5',
    '5.0',
    ' 5',
    '5 ',
    '',
    '0',
    '101',
    '05',
    '٥',
    'Infinity',
    'ten',
    ['5', '6'],
  ])('%j is refused', (text) => expect(limitOf(text)).toBeUndefined());

  it('is 20 unless said', () => expect(limitOf(undefined)).toBe(20));
});

describe('bodies', () => {
  const person = {
    username: 'ann_1',
    email: 'ann@example.com',
    password: 'Secret-123',
    fullName: 'Ann Example',
    dateOfBirth: '1990-02-28',
  };
  const profile = { fullName: 'Ann Example', bio: '', website: null, gender: null, avatarMediaId: null };

  it.each([
    [{}, true],
    [{ username: 'me' }, false],
    [{ username: 'a'.repeat(31) }, false],
    [{ username: 'ünï_x' }, false],
    [{ password: 'secret-123' }, false],
    [{ password: 'Secret123' }, false],
    [{ dateOfBirth: '1990-02-30' }, false],
    [{ dateOfBirth: '0000-01-01' }, false],
    [{ dateOfBirth: '1900-01-01' }, true],
    [{ email: 'ann' }, false],
    [{ fullName: 'Ann' }, false],
    [{ admin: true }, false],
  ])('register with %o: %s', (change, good) => {
    expect(register.body.safeParse({ ...person, ...change }).success).toBe(good);
  });

  it.each([
    ['https://example.com/a', true],
    ['http://example.com', true],
    ['javascript:alert(1)', false],
    ['ftp://example.com', false],
    ['example.com', false],
    ['https://ann@example.com', false],
    ['https://ann:secret@example.com', false],
    ['https://bank.example%2F@evil.example', false],
    ['https://bank.example\\@evil.example', true],
    ['data:text/html,x', false],
    ['//example.com', false],
    ['https://example.com/\u202eab', true],
    [`https://example.com/${'ü'.repeat(60)}`, false],
    [{}, false],
  ])('website %s: %s', (website, good) => {
    expect(editProfile.body.safeParse({ ...profile, website }).success).toBe(good);
  });

  it.each([
    [[mediaId], true],
    [[mediaId, mediaId.toUpperCase()], false],
    [[], false],
    [Array.from({ length: 11 }, (_, i) => mediaId.slice(0, -2) + (i + 10)), false],
  ])('publish with media %o: %s', (media, good) => {
    expect(publishPost.body.safeParse({ media }).success).toBe(good);
  });
});
