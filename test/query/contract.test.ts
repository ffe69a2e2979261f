import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBinder } from '../../platform/http/bind.ts';
import { httpProblems } from '../../platform/http/problems.ts';
import type { Redis } from '../../platform/redis/redis.ts';
import type { Scope } from '../../query-api/scope.ts';
import { boundRoutes } from '../../query-api/server.ts';
import { register } from '../../schemas/account/auth.http.ts';
import { editProfile } from '../../schemas/account/user.http.ts';
import { publishPost } from '../../schemas/content/post.http.ts';
import { problems } from '../../schemas/problems.ts';
import { allRoutes } from '../../schemas/routes.ts';
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
    const room = { handle: createBinder<Scope>(hooks), redis: {} as Redis, prefix: '', publicUrl: '' };
    const served = boundRoutes(room).map(({ contract }) => contract.name);
    const promised = allRoutes.filter(({ service }) => service === 'query').map(({ name }) => name);
    expect(served.sort()).toEqual(promised.sort());
  });

  it('document the problems of HTTP itself as they are', () => {
    expect(problems).toMatchObject(httpProblems);
  });
});

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
  it('is counted as a person counts', () => {
    expect(countCharacters(`${family}e\u0301\u{1F1E9}\u{1F1EA}`)).toBe(3);
    expect(lines({ min: 0, max: 150 }).safeParse(family.repeat(150)).success).toBe(true);
    expect(lines({ min: 0, max: 150 }).safeParse(family.repeat(151)).success).toBe(false);
  });

  it('has a hard limit, however few characters it shows as', () => {
    expect(lines({ min: 0, max: 150 }).safeParse(`a${'\u0301'.repeat(5_000)}`).success).toBe(false);
  });

  it.each(['', ' ', '\u200b\u200d', '\u2066\u2069', '\u3164', '\u2800 \u00a0', '\ufeff'])(
    '%j is blank',
    (text) => {
      expect(isBlank(text)).toBe(true);
      expect(line({ min: 1, max: 30 }).safeParse(text).success).toBe(false);
    },
  );

  it('loses control characters and marks that reorder what stands beside it', () => {
    expect(line({ min: 1, max: 30 }).parse(' a\u0000b\u202ec\nd ')).toBe('abcd');
    expect(lines({ min: 1, max: 30 }).parse('a\r\nb\tc\u0007')).toBe('a\nb\tc');
    expect(line({ min: 1, max: 30 }).parse('\ud800x')).toBe('\ufffdx');
  });

  it('stays the same when cleaned again', () => {
    const shape = lines({ min: 0, max: 500 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
        const once = shape.parse(text);
        expect(shape.parse(once)).toBe(once);
      }),
    );
  });
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
