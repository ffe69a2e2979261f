import type { Queryable } from './pool.ts';

export interface ServedModel {
  version: number;
  /** The Postgres schema that holds this version's tables, such as likes_v1. */
  schema: string;
  /** Whose positions tell how far it is, such as likes.v1. */
  consumer: string;
}

export interface Serving {
  /** Read once per request, so that one answer never mixes two versions of a model. */
  snapshot(): ReadonlyMap<string, ServedModel>;
  refresh(): Promise<void>;
  close(): void;
}

/** The name under which a version of a model keeps its positions. */
export function consumerOf(model: string, version: number): string {
  return `${model}.v${version}`;
}

/** The Postgres schema of a version of a model. */
export function schemaOf(model: string, version: number): string {
  return `${model}_v${version}`;
}

const maxAgeMs = 1_000;

/** engine.serving, never older than a second; a switched-away version is kept long enough for that (DESIGN §6). */
export async function openServing(pool: Queryable): Promise<Serving> {
  let current: ReadonlyMap<string, ServedModel> = new Map();
  const refresh = async (): Promise<void> => {
    const { rows } = await pool.query(
      'SELECT s.model, s.version, v.schema_name FROM engine.serving s JOIN engine.version v USING (model, version)',
    );
    current = new Map(
      rows.map((row) => [
        row.model as string,
        { version: row.version, schema: row.schema_name, consumer: consumerOf(row.model, row.version) },
      ]),
    );
  };
  await refresh();
  const timer = setInterval(() => refresh().catch(() => {}), maxAgeMs);
  timer.unref();
  return { snapshot: () => current, refresh, close: () => clearInterval(timer) };
}
