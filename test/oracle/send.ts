import { createHash } from 'node:crypto';
import type { Answer, Client, Person } from '../harness/client.ts';
import { askUntilKnown } from './ask.ts';
import { type Call, isAccepted, type Played, type Request, toldBy } from './history.ts';
import { type Name, type RequestUpload, thingOf } from './plan.ts';
import { password, requestOf, spoilt } from './wire.ts';

/** What one request of a playing needs. */
export interface Sender {
  api: Client;
  played: Played;
  bytes: Record<RequestUpload['content'], Buffer>;
  patienceMs: number;
  now(): number;
}

export type Asked = Pick<Call, 'id' | 'step' | 'actor' | 'act' | 'early' | 'inStorm'> & {
  /** With others: the same request several times at once. */
  key?: string;
};

/** The Idempotency-Key of a call. */
export function keyOf({ played }: Sender, id: string): string {
  return `${played.tag}-${id}`;
}

/** Sends one request, under one trace id however often, and writes the answer down; null when there is nothing to repeat. */
export async function send(sender: Sender, asked: Asked): Promise<Call | null> {
  const words = wordsOf(sender, asked);
  if (!words) return null;
  const { played } = sender;
  const traceId = createHash('sha256').update(`${played.tag} ${asked.id}`).digest('hex').slice(0, 32);
  const sent = sender.now();
  const answer = await ask(sender, asked, words, traceId);
  const { status, body } = answer;
  const times = answer.times + (asked.key ? 1 : 0);
  const call: Call = { ...asked, ...words, traceId, times, sent, answered: sender.now(), status, body };
  played.calls.push(call);
  remember(sender, call, answer.headers.get('x-position'));
  if (asked.act.do === 'request' && isAccepted(call)) await put(sender, asked.act, body.upload);
  return call;
}

function wordsOf(
  sender: Sender,
  { id, actor, act, key }: Asked,
): { request: Request; key: string | null } | null {
  const { played, bytes } = sender;
  const naming = played;
  if (act.do === 'repeat' || act.do === 'spoil') {
    const before = played.calls.find((call) => call.step === act.step);
    if (!before) return null;
    const { request } = before;
    return { request: act.do === 'repeat' ? request : spoilt(naming, request), key: before.key };
  }
  const request = requestOf(naming, actor, act, (content) => bytes[content].length);
  return { request, key: request.method === 'GET' || act.do === 'login' ? null : (key ?? keyOf(sender, id)) };
}

async function ask(
  sender: Sender,
  { actor, act }: Asked,
  { request, key }: { request: Request; key: string | null },
  traceId: string,
): Promise<Answer & { times: number }> {
  const { api, played, patienceMs } = sender;
  const person = played.people.get(actor);
  const withToken = !request.path.startsWith('/api/auth/');
  const told = played.people.get(toldBy({ actor, act }) ?? actor);
  const headers: Record<string, string> = { traceparent: `00-${traceId}-${'0'.repeat(15)}1-01` };
  if (key) headers['idempotency-key'] = key;
  if (told?.position && act.do !== 'register') headers['x-min-position'] = told.position;
  for (;;) {
    const token = withToken ? person!.token : undefined;
    const answer = await askUntilKnown(api, request, { token, headers }, patienceMs);
    if (answer.body?.code !== 'token_expired') return answer;
    await renew(sender, person!);
  }
}

async function renew({ api, patienceMs }: Sender, person: Person): Promise<void> {
  const body = { identifier: person.username, password };
  const answer = await askUntilKnown(api, { method: 'POST', path: '/api/auth/login', body }, {}, patienceMs);
  if (answer.status !== 200)
    throw new Error(`${person.username} can't log in: ${JSON.stringify(answer.body)}`);
  person.token = answer.body.token.accessToken;
}

/** What has come to be has a name from now on, and whoever acts reads their own writes. */
function remember({ played }: Sender, call: Call, position: string | null): void {
  const { actor, act, body } = call;
  const name: Name = call.step < 0 ? actor : thingOf(call.step);
  const person = played.people.get(actor);
  if (person && position && act.do !== 'register' && !toldBy(call)) person.position = position;
  if (!isAccepted(call)) return;
  if (act.do === 'publish') played.ids.set(name, body.id);
  if (act.do === 'request') played.ids.set(name, body.mediaId);
  if (act.do === 'register') {
    const { user, token } = body;
    played.ids.set(name, user.id);
    played.people.set(name, {
      id: user.id,
      username: user.username,
      password,
      token: token.accessToken,
      refreshToken: token.refreshToken,
      position,
    });
  }
}

async function put(
  { bytes, patienceMs }: Sender,
  { content }: RequestUpload,
  upload: { url: string; method: string; headers: Record<string, string> },
): Promise<void> {
  if (content === 'nothing') return;
  const { url, method, headers } = upload;
  const until = performance.now() + patienceMs;
  for (;;) {
    const sending = fetch(url, { method, headers, body: new Uint8Array(bytes[content]) });
    const answer = await sending.catch((error: Error) => error);
    // 412: an earlier try has got through, though its answer was lost.
    if (!(answer instanceof Error) && (answer.ok || answer.status === 412)) return;
    const said = answer instanceof Error ? answer.message : `${answer.status} ${await answer.text()}`;
    if (performance.now() > until) throw new Error(`the object store does not take the bytes: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
