import { readFileSync } from 'node:fs';
import { allRoutes } from '../../schemas/routes.ts';
import type { Client } from '../harness/client.ts';
import type { Place } from '../harness/world.ts';
import { differencesOf } from './difference.ts';
import type { Fact } from './fact.ts';
import type { Played } from './history.ts';
import type { Oracle } from './oracle.ts';

/** Everything a comparison may look at. */
export interface Compared {
  world: Place;
  api: Client;
  played: Played;
  facts: readonly Fact[];
  oracle: Oracle;
  /** Ids of those who act. */
  cast: readonly string[];
}

export interface Judged {
  asked: number;
  differences: string[];
}

/** Reads that the facts do not decide, by the route's name. */
export const others: Record<string, (compared: Compared) => Promise<Judged>> = {
  async readJwks({ api, played }) {
    const { body } = await api.call('GET', '/.well-known/jwks.json');
    const kids = body.keys.map((key: { kid: string }) => key.kid);
    const used = [...played.people.values()].map(({ token }) => headerOf(token).kid);
    const missing = used.filter((kid) => !kids.includes(kid));
    return { asked: 1, differences: missing.map((kid) => `no public key ${kid}, which signed a token`) };
  },
  async readOpenapi({ api }) {
    const file = new URL('../../schemas/generated/openapi.json', import.meta.url);
    const { body } = await api.call('GET', '/api/openapi.json');
    return { asked: 1, differences: differencesOf(JSON.parse(readFileSync(file, 'utf8')), body) };
  },
  async readDocs({ api }) {
    const { body } = await api.call('GET', '/api/docs');
    const missing = allRoutes.filter(({ name }) => !String(body).includes(`id="${name}"`));
    return {
      asked: 1,
      differences: missing.map(({ name }) => `the page of documents has nothing of ${name}`),
    };
  },
};

function headerOf(token: string): { kid: string } {
  return JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());
}
