import { listen } from './listen.ts';
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
  close(): Promise<void>;
}

/** The name under which a version of a model keeps its positions. */
export function consumerOf(model: string, version: number): string {
  return `${model}.v${version}`;
}

/** Whose build a consumer is; a consumer without builds, such as media-pipeline, goes by its own name. */
export function modelOf(consumer: string): string {
  return consumer.replace(/\.v\d+$/, '');
}

/** The Postgres schema of a version of a model. */
export function schemaOf(model: string, version: number): string {
  return `${model}_v${version}`;
}

/** Notified after changes of versions, of what is served, of pauses, and when a command waits. */
export const controlChannel = 'emulsion_control';

const maxAgeMs = 1_000;

/**
 * engine.serving, told of at once and looked at each second in case that was lost; a switched-away version is kept
 * far longer than that (DESIGN §6).
 */
export async function openServing(databaseUrl: string, pool: Queryable): Promise<Serving> {
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
  const look = (): void => void refresh().catch(() => {});
  await refresh();
  const listener = listen(databaseUrl, {
    name: 'serving',
    channels: { [controlChannel]: look },
    connected: look,
  });
  const timer = setInterval(look, maxAgeMs);
  timer.unref();
  return {
    snapshot: () => current,
    refresh,
    async close() {
      clearInterval(timer);
      await listener.close();
    },
  };
}
