import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Relation } from '../../schemas/visibility/visibility.ts';
import type { Person } from '../harness/client.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { asks } from './asks.ts';
import {
  become,
  type Cast,
  framesOf,
  type Looker,
  openCast,
  type Publicity,
  tellsOf,
  type Viewer,
  viewers,
} from './stage.ts';
import { type Cells, frames, type Rows, routes } from './table.ts';

const patience = 180_000;
const relations: readonly Relation[] = ['nobody', ...viewers, 'owner'];
const publicities: readonly Publicity[] = ['public', 'private'];

let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await startWorld();
  cast = await openCast(world);
  for (const publicity of publicities) for (const viewer of viewers) await become(cast, publicity, viewer);
  await world.drained(patience);
}, 300_000);
afterAll(() => world?.stop());

function lookerOf(relation: Relation, owner: Person): Looker {
  if (relation === 'nobody') return null;
  return relation === 'owner' ? owner : cast.viewers[relation];
}

const isViewer = (relation: Relation): relation is Viewer => relation !== 'nobody' && relation !== 'owner';

interface Case {
  /** As asks.ts has it. */
  name: string;
  publicity: Publicity;
  cells: Cells;
}

function casesOf(table: Record<string, Rows>): Case[] {
  return Object.entries(table).flatMap(([name, rows]) =>
    typeof rows === 'string'
      ? []
      : rows.flatMap(({ what, ...cells }) =>
          publicities.map((publicity) => ({ name: `${name}: ${what}`, publicity, cells: cells[publicity] })),
        ),
  );
}

describe('of every endpoint', { timeout: patience }, () => {
  it.each(casesOf(routes))('$name, $publicity', async ({ name, publicity, cells }) => {
    const ask = asks[name]!;
    const owner = cast.owners[publicity];
    const found: Partial<Cells> = {};
    for (const relation of relations) {
      const before = world.api.answers.length;
      found[relation] = await ask.run(cast, lookerOf(relation, owner), owner);
      if (!/^(shown|2\d\d)/.test(found[relation]!)) {
        const told = JSON.stringify(world.api.answers.slice(before));
        expect(told, `what ${relation} is told`).not.toContain(cast.secrets.get(owner));
      }
      if (ask.changes && found[relation]!.startsWith('200') && isViewer(relation))
        await become(cast, publicity, relation);
    }
    expect(found).toEqual(cells);
  });
});

describe('of every frame that was told to a follower, read again', { timeout: patience }, () => {
  it.each(casesOf(frames))('$name, $publicity', async ({ name, publicity, cells }) => {
    const owner = cast.owners[publicity];
    const type = name.split(':')[0]!;
    const found: Partial<Cells> = {};
    for (const relation of relations) {
      const told = await framesOf(cast, lookerOf(relation, owner));
      found[relation] = typeof told === 'string' ? told : tellsOf(told, type, owner) ? 'shown' : 'hidden';
    }
    expect(found).toEqual(cells);
  });
});

it.each(publicities)(
  'of a post of a %s account only followers are told when it appears',
  async (publicity) => {
    const owner = cast.owners[publicity];
    const post = await cast.publish(owner);
    await world.drained(patience);
    const told: Relation[] = [];
    for (const viewer of viewers) {
      const frames = await framesOf(cast, cast.viewers[viewer]);
      if (JSON.stringify(frames).includes(post)) told.push(viewer);
    }
    expect(told).toEqual(['follower']);
  },
  patience,
);

describe('somebody who has blocked one is answered for like nobody', () => {
  const unknown = 'nobody_at_all';
  it.each([
    ['GET', (name: string) => `/api/users/${name}`],
    ['GET', (name: string) => `/api/users/${name}/posts`],
    ['GET', (name: string) => `/api/users/${name}/followers`],
    ['POST', (name: string) => `/api/users/${name}/follow`],
    ['DELETE', (name: string) => `/api/users/${name}/follow`],
    ['POST', (name: string) => `/api/users/${name}/block`],
    ['DELETE', (name: string) => `/api/users/${name}/block`],
    ['POST', (name: string) => `/api/users/me/follow-requests/${name}/approve`],
    ['DELETE', (name: string) => `/api/users/me/followers/${name}`],
  ])('%s %s', async (method, path) => {
    const { blocked } = cast.viewers;
    const answers = await Promise.all(
      [cast.owners.public.username, unknown].map((name) => world.api.as(blocked, method, path(name))),
    );
    const [one, other] = answers.map(({ status, body }) => ({ status, body: { ...body, traceId: '' } }));
    expect(one).toEqual(other);
    expect(one!.status).toBe(404);
  });
});

it('verify finds no difference', () => expectVerified(world), patience);
