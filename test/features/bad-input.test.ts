import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultBodyLimit } from '../../platform/http/body.ts';
import type { RouteContract } from '../../schemas/route.ts';
import { allRoutes } from '../../schemas/routes.ts';
import { createRandom } from '../../tools/load/random.ts';
import { expectStatus } from '../harness/client.ts';
import { startWorld, type World } from '../harness/world.ts';
import { type Document, problemFault } from './document.ts';
import { type People, peopleOf } from './people.ts';
import { type Cast, goodRequest } from './requests.ts';

let world: World;
let people: People;
let cast: Cast;
let document: Document;

beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'query-api', 'projectors', 'media-pipeline'] });
  people = peopleOf(world);
  const { api } = world;
  const [ann, ben, cat, dan] = await Promise.all([
    api.register(),
    api.register(),
    api.register(),
    api.register(),
  ]);
  const photo = await people.photo(ann);
  const post = await api.publish(ann, [photo]);
  const bensPost = await api.publish(ben, [await people.photo(ben)]);
  const { refreshToken } = ann;
  const others = { ben, cat, dan, leaver: dan };
  cast = { ann, ...others, photo, rejected: '', requested: '', post, bensPost, refreshToken };
  document = (await api.call('GET', '/api/openapi.json')).body;
  await world.drained(60_000);
}, 240_000);
afterAll(() => world?.stop());

const withBody = allRoutes.filter(({ body }) => body);
const limitOf = ({ bodyLimit = defaultBodyLimit }: RouteContract): number => bodyLimit;

/** Sends these very bytes to a route, with all else as it should be. */
async function send(route: RouteContract, bytes: Buffer | ReadableStream) {
  const { path, token, headers } = goodRequest(route, cast);
  const answer = await fetch(`${world.services['command-api'].url}${path}`, {
    method: route.method.toUpperCase(),
    headers: {
      ...headers,
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: Buffer.isBuffer(bytes) ? new Uint8Array(bytes) : bytes,
    duplex: 'half',
  } as RequestInit);
  const body = JSON.parse(await answer.text());
  const contentType = answer.headers.get('content-type');
  if (answer.status >= 400)
    expect(problemFault({ route, path, status: answer.status, contentType, body })).toBeNull();
  return { status: answer.status, code: body.code, errors: body.errors ?? [] };
}

const sendJson = (route: RouteContract, body: unknown) => send(route, Buffer.from(JSON.stringify(body)));

/** Of every kind that JSON has; a test leaves out what the route's schema takes. */
const anything = [null, true, 0, -1, 1.5, 1e300, '', 'text', [], ['text'], [[]], {}, { a: 1 }];

describe.each(withBody.map((route) => [route.name, route] as const))('the body of %s', (_name, route) => {
  it('has fields of the right kind, or each that is not is named', async () => {
    const { schema } = document.paths[route.path][route.method].requestBody.content['application/json'];
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv);
    const fits = ajv.compile(schema);
    const { body } = goodRequest(route, cast);
    let refused = 0;
    for (const field of Object.keys(schema.properties)) {
      for (const value of anything) {
        const spoilt = { ...body, [field]: value };
        if (fits(spoilt)) continue;
        const answer = await sendJson(route, spoilt);
        const place = JSON.stringify({ [field]: value });
        expect([place, answer.status, answer.code]).toEqual([place, 400, 'request_invalid']);
        expect(answer.errors[0], place).toMatchObject({ in: 'body' });
        expect(answer.errors[0].field.split(/[.[]/)[0], place).toBe(field);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(5);
    for (const field of schema.required) {
      const { [field]: _, ...rest } = body;
      const { code, errors } = await sendJson(route, rest);
      expect({ code, errors }).toMatchObject({ code: 'request_invalid', errors: [{ in: 'body', field }] });
    }
  });

  it('is an object with fields that are known', async () => {
    const { body } = goodRequest(route, cast);
    for (const text of ['[]', '"text"', '1', 'null', 'true', '', `[${JSON.stringify(body)}]`])
      expect([text, await send(route, Buffer.from(text))]).toMatchObject([text, { code: 'request_invalid' }]);
    for (const name of ['admin', 'constructor', 'toString', 'id', '', 'x'.repeat(500)]) {
      const { errors } = await sendJson(route, { ...body, [name]: true });
      expect(errors).toEqual([{ in: 'body', field: name.slice(0, 100), message: 'unknown field' }]);
    }
  });

  it.each([
    ['half of it', Buffer.from('{"a":')],
    ['a comma too many', Buffer.from('{"a":1,}')],
    ['other quotation marks', Buffer.from("{'a':1}")],
    ['a number that JSON has not', Buffer.from('{"a":NaN}')],
    ['more behind it', Buffer.from('{} {}')],
    ['a control character in a text', Buffer.from('{"a":"\u0000"}')],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['half a character of UTF-8', Buffer.from([0x22, 0xf0, 0x9f, 0x22])],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le')],
    ['nothing but brackets', Buffer.from('['.repeat(10_000))],
  ])('is JSON, not %s', async (_what, bytes) => {
    expect(await send(route, bytes)).toMatchObject({ status: 400, code: 'body_not_json' });
  });

  it('has at most the bytes of its route, whether it says how many or not', async () => {
    const limit = limitOf(route);
    const unknown = { ...goodRequest(route, cast).body, unknown: true };
    const padded = (length: number) => Buffer.from(JSON.stringify(unknown).padEnd(length));
    const inPieces = (bytes: Buffer) =>
      new ReadableStream({
        start(controller) {
          for (let at = 0; at < bytes.length; at += 10_000)
            controller.enqueue(new Uint8Array(bytes.subarray(at, at + 10_000)));
          controller.close();
        },
      });
    expect(await send(route, padded(limit + 1))).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(await send(route, inPieces(padded(limit + 1)))).toMatchObject({ code: 'body_too_large' });
    // Read to its end, and refused for what it says.
    expect(await send(route, padded(limit))).toMatchObject({ status: 400, code: 'request_invalid' });
    expect(await send(route, inPieces(padded(limit)))).toMatchObject({ code: 'request_invalid' });
  });
});

const family = '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}\u200D\u{1F466}';

describe('text', { timeout: 120_000 }, () => {
  const profile = { fullName: 'Ann Example', bio: '', website: null, gender: null, avatarMediaId: null };
  const edit = (changes: object) =>
    world.api.as(cast.ann, 'PUT', '/api/users/me', { ...profile, ...changes });
  const publish = (changes: object) =>
    world.api.as(cast.ann, 'POST', '/api/posts', { media: [cast.photo], ...changes });
  const register = (changes: object) => sendJson(allRoutes.find(({ name }) => name === 'register')!, changes);

  it.each([
    ['spaces of many kinds', ' \t\u00a0\u1680\u2000\u2003\u202f\u205f\u3000\u2028\u2029'],
    ['zero-width characters', '\u200b\u200c\u200d\u2060\ufeff\u00ad'],
    ['direction marks', '\u200e\u200f\u061c\u202a\u202c\u2066\u2069'],
    ['fillers', '\u115f\u1160\u3164\uffa0\u2800\u{1d159}'],
    ['variation selectors and tags', '\ufe0f\u{e0100}\u{e0061}'],
    ['control characters', '\u0000\u0007\u001b\u0085'],
  ])('of nothing but %s is blank', async (_what, blank) => {
    const text = blank.repeat(5);
    for (const [answer, field] of [
      [await edit({ fullName: text }), 'fullName'],
      [await edit({ gender: text }), 'gender'],
      [await publish({ location: text }), 'location'],
    ] as const)
      expect(answer.body).toMatchObject({ code: 'request_invalid', errors: [{ in: 'body', field }] });
    const upload = { contentType: 'image/png', fileName: text, size: 1 };
    const asked = await world.api.as(cast.ann, 'POST', '/api/media/uploads', upload);
    expect(asked.body).toMatchObject({ errors: [{ in: 'body', field: 'fileName' }] });
    const found = await world.api.call('GET', `/api/users?q=${encodeURIComponent(text)}`);
    expect(found.body).toMatchObject({ errors: [{ in: 'query', field: 'q' }] });
    const account = {
      username: 'somebody_new',
      email: 'somebody.new@example.org',
      password: 'Correct-horse-9',
    };
    const { errors } = await register({ ...account, fullName: text, dateOfBirth: '1990-05-17' });
    expect(errors).toMatchObject([{ field: 'fullName' }]);
    // Where a text may be empty, it is.
    expect((await edit({ bio: text })).body).toMatchObject({ bio: '' });
  });

  it.each([
    ['a family', family],
    ['a flag', '\u{1F1E9}\u{1F1EA}'],
    ['a hand with a colour of skin', '\u{1F44D}\u{1F3FF}'],
    ['a letter with an accent of its own', 'e\u0301'],
    ['a letter of an ordinary kind', 'x'],
  ])('has as many characters as a person counts: %s', async (_what, one) => {
    const [bio, name] = [one.repeat(150), one.repeat(100)];
    expectStatus(await edit({ bio, fullName: name }), 200);
    const me = await people.read(cast.ann, '/api/users/me');
    expect(me).toMatchObject({ bio: bio.normalize('NFC'), fullName: name.normalize('NFC') });
    expect((await edit({ bio: bio + one })).body.errors).toMatchObject([{ field: 'bio' }]);
    expect((await edit({ fullName: name + one })).body.errors).toMatchObject([{ field: 'fullName' }]);
    expect((await edit({ fullName: one.repeat(4) })).body.errors).toMatchObject([{ field: 'fullName' }]);
    const answer = await publish({ caption: one.repeat(2_200), location: one.repeat(100) });
    expectStatus(answer, 201);
    const post = await people.read(cast.ann, `/api/posts/${answer.body.id}`);
    expect(post.caption).toBe(one.repeat(2_200).normalize('NFC'));
    expect((await publish({ caption: one.repeat(2_201) })).body.errors).toMatchObject([{ field: 'caption' }]);
  });

  it('has a limit for a character that never ends, and is not made long by what does not show', async () => {
    for (const bio of [`a${'\u0301'.repeat(1_300)}`, `a${'\u200d'.repeat(1_300)}`])
      expect((await edit({ bio })).body.errors).toMatchObject([{ field: 'bio' }]);
    const short = await edit({ fullName: `Ann${'\u200b'.repeat(9)}` });
    expect(short.body.errors).toMatchObject([{ field: 'fullName' }]);
  });

  it('of a name as long in bytes as there can be is shown and found, and keeps nobody else from being shown', async () => {
    const astral = Array.from({ length: 0xffff }, (_, n) => String.fromCodePoint(0x10000 + n));
    const letters = astral.filter(
      (one) => /\p{Script=Egyptian_Hieroglyphs}/u.test(one) && /\p{Lo}/u.test(one),
    );
    const marks = astral.filter((one) => /\p{Mn}/u.test(one));
    const random = createRandom('a long name');
    const some = (of: string[]): string => of[random.below(of.length)]!;
    const character = (): string => some(letters) + Array.from({ length: 7 }, () => some(marks)).join('');
    const fullName = Array.from({ length: 100 }, character).join('').normalize('NFC');
    expect(Buffer.byteLength(fullName)).toBeGreaterThan(3_000);
    expectStatus(await edit({ fullName }), 200);
    expect(await people.read(cast.ann, '/api/users/me')).toMatchObject({ fullName });
    const newcomer = await world.api.register();
    expect(await people.read(newcomer, '/api/users/me')).toMatchObject({ id: newcomer.id });
    for (const length of [16, 700]) {
      const q = encodeURIComponent([...fullName].slice(0, length).join(''));
      const { items } = await people.read(newcomer, `/api/users?q=${q}`);
      expect(items).toMatchObject([{ id: cast.ann.id }]);
    }
  });

  it('turns nothing that stands beside it, and holds no half of a character', async () => {
    const bio = 'a\u202eb\u2067c \ud83d\u0000\nd\u2069e \u2068אב\u2069 f\u2028g';
    const cleaned = 'abc \ufffd\nde \u2068אב\u2069 f\ng';
    expect((await edit({ bio, fullName: 'Ann\u202e\u2066\u0000 Example' })).body).toMatchObject({
      bio: cleaned,
      fullName: 'Ann Example',
    });
    const me = await people.read(cast.ann, '/api/users/me');
    expect(me).toMatchObject({ bio: cleaned, fullName: 'Ann Example' });
    const { body } = await publish({ caption: bio, location: 'Here\u2067\nand there' });
    const post = await people.read(cast.ann, `/api/posts/${body.id}`);
    expect(post).toMatchObject({ caption: cleaned, location: 'Hereand there' });
  });

  it('of an address leads where it seems to', async () => {
    expect((await edit({ website: ' HTTPS://Exämple.com/ü\u202e' })).body).toMatchObject({
      website: 'https://xn--exmple-cua.com/%C3%BC%E2%80%AE',
    });
    for (const website of [
      'https://bank.example@evil.example',
      'https://ann:secret@example.com/',
      'javascript:alert(1)',
      'data:text/html,hello',
      'ftp://example.com/',
      'example.com',
      'https://',
      `https://example.com/${'ü'.repeat(60)}`,
    ])
      expect((await edit({ website })).body.errors, website).toMatchObject([{ field: 'website' }]);
  });
});

describe('an address', () => {
  it.each(['1e1', '0x10', '+5', '5.0', '%205', '', '0', '101', '-1', '5&limit=6', '%D9%A5'])(
    'has a limit in plain digits, not limit=%s',
    async (text) => {
      const lists = allRoutes.filter((route) => route.query && 'limit' in route.query.shape);
      expect(lists.length).toBeGreaterThan(5);
      for (const route of lists) {
        const { path, token } = goodRequest(route, cast);
        const answer = await world.api.call('GET', `${path}${path.includes('?') ? '&' : '?'}limit=${text}`, {
          token,
        });
        expect([route.name, answer.status, answer.body.errors]).toMatchObject([
          route.name,
          400,
          [{ in: 'query', field: 'limit' }],
        ]);
      }
    },
  );

  it.each(['%00', '%ff', '%', '%F0%9F', 'a%2fb', "'", '%E2%80%AE', 'null', '0', 'x'.repeat(3_000)])(
    'with %s where a name or an id belongs is refused',
    async (odd) => {
      for (const route of allRoutes.filter(({ params }) => params)) {
        const { token, headers } = goodRequest(route, cast);
        const path = route.path.replaceAll(/\{\w+\}/g, odd);
        const answer = await world.api.call(route.method.toUpperCase(), path, { token, headers });
        expect([route.name, [400, 404].includes(answer.status)]).toEqual([route.name, true]);
      }
    },
  );

  it.each(['x'.repeat(201), 'two words', 'k\u00fc'])('takes no Idempotency-Key like %s', async (key) => {
    const answer = await world.api.call('POST', '/api/posts', {
      token: cast.ann.token,
      headers: { 'idempotency-key': key },
      body: { media: [cast.photo] },
    });
    expect(answer.body).toMatchObject({ code: 'request_invalid' });
  });
});

it('nobody follows themselves, however they spell it', async () => {
  const { ann } = cast;
  for (const name of [ann.username, ann.username.toUpperCase()])
    for (const method of ['POST', 'DELETE']) {
      const answer = await world.api.as(ann, method, `/api/users/${name}/follow`);
      expect(answer.body).toMatchObject({ status: 422, code: 'self_follow' });
    }
  expect(await people.read(ann, '/api/users/me')).toMatchObject({ followersCount: 0, followingCount: 0 });
});

it('a post that is deleted is liked by nobody who has seen it go, its author neither', async () => {
  const { ann, ben } = cast;
  const { media } = await people.read(ben, `/api/posts/${cast.bensPost}`);
  const post = await world.api.publish(ben, [media[0].id]);
  await people.remove(ben, post);
  for (const who of [ann, ben]) {
    who.position = ben.position;
    const answer = await world.api.as(who, 'POST', `/api/posts/${post}/like`);
    expect(answer.body).toMatchObject({ status: 404, code: 'post_not_found' });
  }
});
