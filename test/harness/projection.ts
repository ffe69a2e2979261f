import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect } from 'vitest';
import { createPool, type Pool, transaction } from '../../platform/postgres/pool.ts';
import { type Installed, writeRegisters } from '../../projectors/engine/apply.ts';
import type { Model } from '../../projectors/engine/model.ts';
import { plainProjection } from '../../projectors/engine/projection.ts';
import { finishFilling } from '../../projectors/engine/rebuild/finish.ts';
import { createStaging, stage } from '../../projectors/engine/rebuild/staging.ts';
import { openBuild } from '../../projectors/engine/runner.ts';
import { createVersion } from '../../projectors/engine/versions.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { migrate } from '../../tools/stack/prepare.ts';

/** What the tables of a model hold: by table, in key order, columns as Postgres gives them in JSON. */
export type Rows = Record<string, unknown[]>;

/** Given these events, when the model has projected them, then these rows. */
export type Projected = (model: Model, events: readonly Event[]) => Promise<Rows>;

/**
 * For the cases of a model, in the form of the decide tests:
 *
 *   const projected = openProjected();
 *   expect(await projected(likes, [liked(ana, noon), unliked(ana, noon + 1)])).toMatchObject({ post_like: [ … ] });
 *
 * Every case goes every way that events come to a model in life (in one round, one by one, backwards and each twice,
 * by the bulk path of a rebuild) and fails when two of them differ, so a case need only say what the rows are.
 */
export function openProjected(): Projected {
  let kit: ProjectionKit;
  beforeAll(async () => {
    kit = await openProjectionKit();
  });
  afterAll(() => kit?.close());
  return async (model, events) => {
    const rows = await inOneRound(kit, model, events);
    for (const [way, project] of Object.entries(otherWays))
      expect(await project(kit, model, events), `the rows, projected ${way}`).toEqual(rows);
    return rows;
  };
}

type Way = (kit: ProjectionKit, model: Model, events: readonly Event[]) => Promise<Rows>;

const inRounds =
  (rounds: (events: readonly Event[]) => Event[][]): Way =>
  async (kit, model, events) => {
    const installed = await kit.install(model);
    await kit.apply(installed, rounds(events));
    return kit.rows(installed);
  };

const inOneRound = inRounds((events) => [[...events]]);
const otherWays: Record<string, Way> = {
  'one by one': inRounds((events) => events.map((event) => [event])),
  'backwards, each twice': inRounds((events) =>
    events.toReversed().flatMap((event) => [[event], [event, event]]),
  ),
  'by the bulk path of a rebuild': async (kit, model, events) =>
    kit.rows(await kit.fill(model, events.toReversed())),
};

/** A database of its own on the real Postgres, no log in between: what openProjected stands on. */
export interface ProjectionKit {
  pool: Pool;
  /** Of the database. */
  url: string;
  /** Fresh tables of the model. */
  install(model: Model): Promise<Installed>;
  /** Applies rounds of events, each as one transaction. */
  apply(installed: Installed, rounds: readonly (readonly Event[])[]): Promise<void>;
  /** Fresh tables, filled with these events by the bulk path of a rebuild. */
  fill(model: Model, events: readonly Event[]): Promise<Installed>;
  /** Every row that events have made in the tables of the model. */
  rows(installed: Installed): Promise<Rows>;
  close(): Promise<void>;
}

export async function openProjectionKit(): Promise<ProjectionKit> {
  const name = `p${randomBytes(5).toString('hex')}`;
  const admin = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(process.env.DATABASE_URL!);
  url.pathname = `/${name}`;
  const pool = createPool(url.href, { name: 'projection-kit', max: 6 });
  await migrate(pool);
  const tablesOf = async (model: Model, state: 'projected' | 'filling'): Promise<Installed> => {
    const version = await transaction(pool, (client) => createVersion(client, model, state));
    return openBuild(pool, model, version);
  };
  return {
    pool,
    url: url.href,
    install: (model) => tablesOf(model, 'projected'),
    async apply(installed, rounds) {
      for (const round of rounds)
        await transaction(pool, (client) => writeRegisters(client, installed, round));
    },
    async fill(model, events) {
      const installed = await tablesOf(model, 'filling');
      await transaction(pool, async (client) => {
        await createStaging(client, installed);
        await stage(client, installed, events);
        await finishFilling(client, plainProjection(model), installed);
      });
      return installed;
    },
    rows: (installed) => rowsOf(pool, installed),
    async close() {
      await pool.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

async function rowsOf(pool: Pool, { model, schema, tables }: Installed): Promise<Rows> {
  const registers = [...tables.values()].map(({ name, key }) => [name, key] as const);
  const counts = model.counters.map(({ into, key }) => [into, Object.keys(key)] as const);
  const found: Rows = {};
  for (const [table, key] of new Map([...registers, ...counts])) {
    const { rows } = await pool.query(
      `SELECT to_jsonb(t) AS row FROM ${schema}.${table} t ORDER BY ${key.join(', ')}`,
    );
    found[table] = rows.map((row) => row.row);
  }
  return found;
}
