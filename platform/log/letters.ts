import { partitionsToRetry, readLetters } from '../postgres/parked.ts';
import type { Pool } from '../postgres/pool.ts';
import { crashPoint } from '../process/crash-points.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Held } from './claims.ts';
import { defaultMaxRecords } from './intake.ts';
import type { LogRecord } from './record.ts';

export interface LettersOptions {
  consumer: string;
  pool: Pool;
  log: Logger;
  maxRecords?: number;
  paused?(): boolean;
}

export interface LettersPort {
  heldAt(place: { topic: string; partition: number }): Held | undefined;
  unpark(position: Held, letters: LogRecord[]): Promise<void>;
  /** An unparking that did not come to its end, as for any other round. */
  failed(position: Held, error: Error): void;
}

const lookEveryMs = 1_000;
/** Parked records of one round. */
const lettersAtOnce = 200;

/**
 * Takes parked records whose keys somebody wants tried again, of the partitions that this process holds, through the
 * same rounds as all else: so they are fenced, and no later record of their key comes in between.
 */
export function openLetters(options: LettersOptions, port: LettersPort): { close(): Promise<void> } {
  let closed = false;
  let wake: () => void = () => {};
  const most = Math.min(lettersAtOnce, options.maxRecords ?? defaultMaxRecords);

  /** One round of each partition that has any; false when none came to its end. */
  const look = async (): Promise<boolean> => {
    let any = false;
    for (const place of await partitionsToRetry(options.pool, options.consumer)) {
      const position = port.heldAt(place);
      if (closed || !position || isSuspected(position)) continue;
      const limit = Math.min(most, position.lettersAtOnce ?? most);
      const letters = await readLetters(options.pool, options.consumer, place, limit);
      if (letters.length === 0) continue;
      try {
        await port.unpark(position, letters);
        crashPoint('letters.tried');
        any = true;
      } catch (error) {
        port.failed(position, error as Error);
      }
    }
    return any;
  };
  const looking = async (): Promise<void> => {
    while (!closed) {
      const any = options.paused?.() ? false : await look().catch((error) => noted(error as Error));
      if (!any && !closed) await rest();
    }
  };
  const noted = (error: Error): boolean => {
    options.log.debug({ consumer: options.consumer, err: error }, 'parked records could not be looked for');
    return false;
  };
  const rest = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      setTimeout(resolve, lookEveryMs).unref();
    });

  const ended = looking();
  return {
    async close() {
      closed = true;
      wake();
      await ended;
    },
  };
}

/** A death is being looked into there, and its row in engine.suspect would be written over. */
function isSuspected({ careful }: Held): boolean {
  return careful !== null && careful.step !== null;
}
