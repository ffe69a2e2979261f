import { parkedAs, parkRecords, withdrawLetter } from '../postgres/parked.ts';
import { type Pool, transaction } from '../postgres/pool.ts';
import { type ClaimedPosition, savePositions } from '../postgres/positions.ts';
import { accuse, excuse, type Suspect } from '../postgres/suspects.ts';
import type { Gate } from '../process/gate.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LogRecord } from './record.ts';

/**
 * How a partition is read after its holder died: alone in the process, with a row that a death leaves behind. Each
 * death cuts the step, until one record is alone; when that has killed twice it is parked (DESIGN §6).
 */
export interface Careful {
  /** Records of a round; null as long as none is suspected. */
  step: number | null;
  /** From here on it is read as ever. */
  until: bigint;
  /** Processes that died while the one record was alone. */
  deaths: number;
}

/** Every death makes the stretch so many times smaller. */
const cut = 16;
const fatalDeaths = 2;

/** How to go on with a partition that its last holder did not give back. */
export function carefulAfter({ position }: ClaimedPosition, suspect: Suspect | undefined): Careful {
  if (!suspect || suspect.deaths === 0 || suspect.first !== position)
    return { step: null, until: position + 1n, deaths: 0 };
  if (suspect.records > 1) return { step: Math.ceil(suspect.records / cut), until: suspect.end, deaths: 0 };
  return { step: 1, until: suspect.end, deaths: suspect.deaths };
}

/** How many letters may be tried again together after a death among them; null: as many as ever. */
export async function lettersAfter(
  pool: Pool,
  consumer: string,
  { position }: ClaimedPosition,
  suspect: Suspect | undefined,
): Promise<number | null> {
  if (!suspect || suspect.deaths === 0 || suspect.end > position) return null;
  if (suspect.records > 1) return Math.ceil(suspect.records / cut);
  await withdrawLetter(pool, consumer, { ...suspect, offset: suspect.first }, killed(1));
  return null;
}

export interface CarefulOptions {
  consumer: string;
  pool: Pool;
  log: Logger;
  gate: Gate;
}

/** Records that are alone while they are applied, in the order of the log. */
export interface Stretch {
  topic: string;
  partition: number;
  records: readonly LogRecord[];
}

/** Applies a stretch with nothing else going on in the process; whoever survives says so, whatever it threw. */
export function applyAlone(
  { gate, pool, consumer }: CarefulOptions,
  { topic, partition, records }: Stretch,
  deaths: number,
  apply: () => Promise<void>,
): Promise<void> {
  const place = { topic, partition };
  return gate.alone(async () => {
    const [first, end] = [records[0]!.offset, records.at(-1)!.offset + 1n];
    await accuse(pool, consumer, { ...place, first, end, records: records.length, deaths: deaths + 1 });
    try {
      await apply();
    } catch (error) {
      await excuse(pool, consumer, place, deaths).catch(() => {});
      throw error;
    }
    // What is left behind here lies before the position, where nobody is suspected any more.
    await excuse(pool, consumer, place, 0).catch(() => {});
  });
}

export function isKiller({ deaths }: Careful): boolean {
  return deaths >= fatalDeaths;
}

/** Passes the record that killed, as one that fails for good. Throws Fenced like any round. */
export async function parkKiller(
  { pool, log, consumer }: CarefulOptions,
  { generation }: ClaimedPosition,
  record: LogRecord,
  { deaths }: Careful,
): Promise<void> {
  const { topic, partition, offset, key } = record;
  const step = { topic, partition, generation, from: offset, to: offset + 1n, eventTime: 0 };
  await transaction(pool, async (client) => {
    await savePositions(client, consumer, [step]);
    await parkRecords(client, consumer, [parkedAs(record, { code: killsProcess, detail: killed(deaths) })]);
  });
  await excuse(pool, consumer, { topic, partition }, 0);
  log.error({ consumer, topic, partition, offset: `${offset}`, key, code: killsProcess }, 'parked');
}

const killsProcess = 'kills_process';

function killed(times: number): string {
  return `${times === 1 ? 'a process' : `${times} processes`} died while this record was applied alone`;
}
