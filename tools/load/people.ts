import { v5 } from 'uuid';
import { type Answer, type Call, type Client, codeOf, Refused } from './client.ts';

/** One who was registered, with what they need to act. */
export interface Person {
  id: string;
  username: string;
  password: string;
  accessToken: string;
  refreshToken: string;
  /** Milliseconds of this machine's clock. */
  expiresAt: number;
  /** X-Position of their newest write. */
  position: string | null;
}

export interface Newcomer {
  username: string;
  email: string;
  password: string;
  fullName: string;
  dateOfBirth: string;
}

interface Token {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
}

const keyNamespace = '5a4f3f2e-7c1d-4b8a-9e60-3d2b1c0f9a87';
/** A token is changed this long before it ends, so that no request under way meets its end. */
const marginMs = 60_000;

/** The same Idempotency-Key for the same command of the same seed: a second run repeats, and writes nothing twice. */
export function commandKey(seed: string, ...command: (string | number)[]): string {
  return v5([seed, ...command].join(' '), keyNamespace);
}

/** Registers somebody, or opens a session when an earlier run did. */
export async function registerPerson(client: Client, newcomer: Newcomer, seed: string): Promise<Person> {
  const call: Call = {
    method: 'POST',
    path: '/api/auth/register',
    body: newcomer,
    idempotencyKey: commandKey(seed, 'register', newcomer.username),
  };
  const answer = await client.call(call);
  if (answer.status === 201) return personOf(answer, newcomer);
  if (codeOf(answer) !== 'username_taken') throw new Refused(call, answer);
  return personOf(await login(client, newcomer), newcomer);
}

async function login(client: Client, who: { username: string; password: string }): Promise<Answer> {
  const body = { identifier: who.username, password: who.password };
  const call: Call = { method: 'POST', path: '/api/auth/login', body };
  const answer = await client.call(call);
  if (answer.status !== 200) throw new Refused(call, answer);
  return answer;
}

function personOf(answer: Answer, { username, password }: { username: string; password: string }): Person {
  const { user, token } = answer.body as unknown as { user: { id: string }; token: Token };
  return { id: user.id, username, password, position: answer.position, ...sessionOf(token) };
}

function sessionOf(token: Token): Pick<Person, 'accessToken' | 'refreshToken' | 'expiresAt'> {
  const { accessToken, refreshToken } = token;
  return { accessToken, refreshToken, expiresAt: expiryOf(accessToken) };
}

/** What the token itself says: the answer to a repeated request may be an old one. */
function expiryOf(accessToken: string): number {
  const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as {
    exp: number;
  };
  return claims.exp * 1_000;
}

const refreshing = new WeakMap<Person, Promise<void>>();

/** A token that lives: changed by refresh, and by the password only when the session is gone. */
export async function tokenOf(client: Client, person: Person): Promise<string> {
  if (person.expiresAt - Date.now() < marginMs) {
    const running = refreshing.get(person) ?? refreshSession(client, person);
    refreshing.set(person, running);
    await running.finally(() => refreshing.delete(person));
  }
  return person.accessToken;
}

async function refreshSession(client: Client, person: Person): Promise<void> {
  const body = { refreshToken: person.refreshToken };
  // When its answer is lost, the repeat is a second use and ends the session: then the password opens another one.
  const answer = await client.call({ method: 'POST', path: '/api/auth/refresh', body });
  const next = answer.status === 200 ? answer : await login(client, person);
  Object.assign(person, sessionOf((next.body as unknown as { token: Token }).token));
}

/** A request of this person, behind their own newest write when `afterOwn`; remembers the position it made. */
export async function act(client: Client, person: Person, call: Call, afterOwn = false): Promise<Answer> {
  const token = await tokenOf(client, person);
  const answer = await client.call({ ...call, token, minPosition: afterOwn ? person.position : null });
  if (answer.position) person.position = answer.position;
  return answer;
}
