import { AsyncLocalStorage } from 'node:async_hooks';
import { randomFillSync } from 'node:crypto';

export interface Trace {
  /** 32 hex digits; the one id from the request through the record to the frame. */
  traceId: string;
  /** W3C trace context, as it goes into headers. */
  traceparent: string;
}

const storage = new AsyncLocalStorage<Trace>();
const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** The trace of the work under way, if it has one. */
export function currentTrace(): Trace | undefined {
  return storage.getStore();
}

/** A trace that goes on from the caller's traceparent, or a new one when there is none or it is not valid. */
export function continueTrace(traceparent: string | undefined): Trace {
  const traceId = traceIdOf(traceparent) ?? randomHex(16);
  return { traceId, traceparent: `00-${traceId}-${randomHex(8)}-01` };
}

/** Asked for in thousands: a few bytes cost as much as these. */
const random = Buffer.allocUnsafe(8_192);
let used = random.length;

function randomHex(bytes: number): string {
  if (used + bytes > random.length) {
    randomFillSync(random);
    used = 0;
  }
  used += bytes;
  return random.toString('hex', used - bytes, used);
}

export function runWithTrace<T>(traceparent: string | undefined, work: () => T): T {
  return storage.run(continueTrace(traceparent), work);
}

export function traceIdOf(traceparent: string | undefined): string | undefined {
  const found = traceparent?.match(pattern)?.[1];
  return found === '0'.repeat(32) ? undefined : found;
}
