import { randomUUID } from 'node:crypto';
import sharp from 'sharp';
import type { RouteContract } from '../../schemas/route.ts';
import { allRoutes } from '../../schemas/routes.ts';
import type { Service, ServiceName } from './services.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // Tests look into answers of many shapes; the contract test holds every one of them to its schema.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  body: any;
}

export interface CallOptions {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Person {
  id: string;
  username: string;
  password: string;
  token: string;
  refreshToken: string;
  /** Newest position of this person's own writes: sent with each call made as them. */
  position: string | null;
}

/** The public API as a client sees it; each call goes to the service that nginx would choose. */
export interface Client {
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** The same as somebody, who reads their own writes, and who repeats what is to be repeated. */
  as(
    person: Person,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  register(username?: string): Promise<Person>;
  /** Uploads a small photo; resolves with the media id after `complete`. */
  upload(person: Person, bytes?: Buffer): Promise<string>;
  publish(person: Person, mediaIds: string[], caption?: string): Promise<string>;
  /** Every answer so far, for the contract test. */
  answers: SeenAnswer[];
}

export interface SeenAnswer {
  /** null where the product has nothing. */
  route: RouteContract | null;
  path: string;
  status: number;
  contentType: string | null;
  body: unknown;
}

const matchers = allRoutes.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replace(/\{[^}]+\}/g, '[^/]+')}$`),
}));

/** The contract behind an address: `/users/me` fits `/users/{username}` too, the one with fewer parameters is meant. */
export function routeOf(method: string, path: string): RouteContract | null {
  const bare = path.split('?')[0]!;
  const fits = matchers.filter(
    ({ pattern, route }) => pattern.test(bare) && route.method === method.toLowerCase(),
  );
  const best = fits.sort((a, b) => a.route.path.split('{').length - b.route.path.split('{').length)[0];
  return best?.route ?? null;
}

/** Answers that say "not yet": a busy machine gives them, and a client repeats under the same Idempotency-Key. */
const repeatable = ['position_timeout', 'outcome_unknown'];
const repeatedForMs = 60_000;

/** Where each service answers. */
export type Addresses = Record<ServiceName, Pick<Service, 'url'>>;

export function createClient(services: Addresses): Client {
  const answers: Client['answers'] = [];
  const serviceFor = (route: RouteContract | null): Pick<Service, 'url'> => {
    if (route?.service === 'command') return services['command-api'];
    return route?.service === 'stream' ? services.stream : services['query-api'];
  };

  const call: Client['call'] = async (method, path, options = {}) => {
    const route = routeOf(method, path);
    const headers: Record<string, string> = { ...options.headers };
    if (options.token) headers.authorization = `Bearer ${options.token}`;
    if (options.body !== undefined) headers['content-type'] ??= 'application/json';
    const answer = await fetch(`${serviceFor(route).url}${path}`, {
      method,
      headers,
      body:
        options.body === undefined
          ? undefined
          : typeof options.body === 'string'
            ? options.body
            : JSON.stringify(options.body),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    const body =
      answer.headers.get('content-type')?.includes('json') && text !== '' ? JSON.parse(text) : text;
    const contentType = answer.headers.get('content-type');
    answers.push({ route, path, status: answer.status, contentType, body });
    return { status: answer.status, headers: answer.headers, body };
  };

  const as: Client['as'] = async (person, method, path, body, extra = {}) => {
    const headers: Record<string, string> = { ...extra };
    if (person.position) headers['x-min-position'] = person.position;
    if (method !== 'GET') headers['idempotency-key'] ??= randomUUID();
    const until = Date.now() + repeatedForMs;
    let answer = await call(method, path, { token: person.token, body, headers });
    while (repeatable.includes(answer.body?.code) && Date.now() < until)
      answer = await call(method, path, { token: person.token, body, headers });
    person.position = answer.headers.get('x-position') ?? person.position;
    return answer;
  };

  return {
    answers,
    call,
    as,
    async register(username = `u_${randomUUID().replaceAll('-', '').slice(0, 12)}`) {
      const password = 'Correct-horse-9';
      const answer = await call('POST', '/api/auth/register', {
        headers: { 'idempotency-key': randomUUID() },
        body: {
          username,
          email: `${username}@example.org`,
          password,
          fullName: `Name of ${username}`,
          dateOfBirth: '1990-05-17',
        },
      });
      expectStatus(answer, 201);
      const { user, token } = answer.body;
      return {
        id: user.id,
        username,
        password,
        token: token.accessToken,
        refreshToken: token.refreshToken,
        position: answer.headers.get('x-position'),
      };
    },
    async upload(person, bytes) {
      const photo = bytes ?? (await samplePhoto());
      const asked = await as(person, 'POST', '/api/media/uploads', {
        contentType: 'image/jpeg',
        fileName: 'photo.jpg',
        size: photo.length,
      });
      expectStatus(asked, 201);
      const { mediaId, upload } = asked.body;
      const put = await fetch(upload.url, {
        method: upload.method,
        headers: upload.headers,
        body: new Uint8Array(photo),
      });
      if (!put.ok) throw new Error(`the object store answered ${put.status}: ${await put.text()}`);
      expectStatus(await as(person, 'POST', `/api/media/uploads/${mediaId}/complete`), 202);
      return mediaId;
    },
    async publish(person, mediaIds, caption = 'A caption') {
      const answer = await as(person, 'POST', '/api/posts', { caption, media: mediaIds });
      expectStatus(answer, 201);
      return answer.body.id;
    },
  };
}

/** A small photograph, another one each time. */
export function samplePhoto(): Promise<Buffer> {
  const channel = (): number => Math.floor(Math.random() * 256);
  const background = { r: channel(), g: channel(), b: channel() };
  return sharp({ create: { width: 320, height: 200, channels: 3, background } })
    .jpeg()
    .toBuffer();
}

export function expectStatus(answer: Answer, status: number): void {
  if (answer.status === status) return;
  throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
}
