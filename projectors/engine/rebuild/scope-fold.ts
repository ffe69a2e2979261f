import { type SealedEvent, Undecodable } from '../../../platform/log/codec.ts';
import type { LogRecord } from '../../../platform/log/consumer.ts';
import { type RuledRecord, underRulings } from '../../../platform/log/rulings.ts';
import type { Queryable } from '../../../platform/postgres/pool.ts';
import type { Installed } from '../apply.ts';
import { changesOf } from '../model.ts';
import type { Engine } from '../runner.ts';
import { Refused } from './builds.ts';
import type { Scope, Winner } from './scope.ts';
import { keysInScope, rowKey } from './scope-rows.ts';

export interface ScopeFold {
  take(records: LogRecord[]): Promise<void>;
  /**
   * Looks again what is parked and ruled, once no round of the model commits any more and before the rest of the log is
   * taken. Throws Refused when records that were left out are applied by now.
   */
  lookAgain(held: Queryable): Promise<void>;
  winners(): Winner[];
}

/** Rows that a repair keeps in memory; for more, building the whole model again is the better way. */
const mostRows = 200_000;

/**
 * Finds the newest event of every row in a scope: of rows that events of the scope name, and of rows that are there
 * and in the scope now, whoever wrote them. Records that are parked stay out, as they do in the live path: what is
 * taken before lookAgain must lie before positions that were read before this.
 */
export async function openScopeFold(engine: Engine, installed: Installed, scope: Scope): Promise<ScopeFold> {
  const { codec, pool } = engine;
  const there = await keysInScope(pool, installed, scope, mostRows);
  const leftOut = await parkedPlaces(pool, installed);
  let parked = leftOut;
  let ruled = await rulingsNow(engine, installed);
  const winners = new Map<string, Winner>();

  const decode = (record: LogRecord): SealedEvent | null => {
    if (parked.has(`${record.topic}/${record.partition}/${record.offset}`)) return null;
    try {
      return codec.decode(record.value);
    } catch (error) {
      if (error instanceof Undecodable) return null;
      throw error;
    }
  };
  const takeEvent = (sealed: SealedEvent): void => {
    const named = isNamed(sealed, scope);
    if (!named && there.size === 0) return;
    // Keys are never personal, so that they are known without revealing anything.
    const event = codec.reveal({ ...sealed, fields: { ...sealed.fields } }, () => undefined);
    for (const { table, row } of changesOf(installed.model, event)) {
      const key = rowKey(installed, table, row);
      if (!named && !there.has(`${table} ${key}`)) continue;
      const known = winners.get(`${table} ${key}`);
      if (known && !isOlder(known.sealed, sealed)) continue;
      winners.set(`${table} ${key}`, { table, key, sealed });
      if (winners.size > mostRows)
        throw new Refused(
          `That is more than ${mostRows} rows; build all of it again with emulsion rebuild ${installed.model.name}.`,
        );
    }
  };
  return {
    async take(logged) {
      const records = underRulings(ruled, logged);
      await codec.prepare(records.map((record) => record.value));
      for (const record of records) {
        const sealed = decode(record);
        if (sealed) takeEvent(sealed);
      }
    },
    async lookAgain(held) {
      parked = await parkedPlaces(held, installed);
      // Behind its position a model parks nothing more, and only what is parked is ruled: what is new concerns the rest.
      if ([...leftOut].some((place) => !parked.has(place))) throw new Refused(appliedMeanwhile(installed));
      ruled = await rulingsNow(engine, installed);
    },
    winners: () => [...winners.values()],
  };
}

function isNamed({ meta, fields }: SealedEvent, scope: Scope): boolean {
  if ('since' in scope) return meta.time >= scope.since;
  return Object.values(fields).some(
    (value) => value === scope.id || (Array.isArray(value) && value.includes(scope.id)),
  );
}

function isOlder(a: SealedEvent, b: SealedEvent): boolean {
  return a.meta.time < b.meta.time || (a.meta.time === b.meta.time && a.meta.id < b.meta.id);
}

async function parkedPlaces(db: Queryable, { consumer }: Installed): Promise<Set<string>> {
  const { rows } = await db.query(
    'SELECT topic, partition, "offset" FROM engine.parked WHERE consumer = $1',
    [consumer],
  );
  return new Set(rows.map((row) => `${row.topic}/${row.partition}/${row.offset}`));
}

/** How this model takes a record, as operators have ruled up to now. */
async function rulingsNow({ rulings }: Engine, { model }: Installed): Promise<RuledRecord | null> {
  await rulings.refresh();
  return rulings.of(model.name);
}

function appliedMeanwhile({ model }: Installed): string {
  return `Parked records of ${model.name} came through or were discarded while the log was read, so nothing is changed; ask for it again.`;
}
