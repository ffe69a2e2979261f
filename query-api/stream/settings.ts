import { z } from 'zod';

/** Empty means not set, as for every key. */
const notSet = (value: unknown): unknown => (value === '' ? undefined : value);
const count = (fallback: number) =>
  z.preprocess(notSet, z.coerce.number().int().positive().default(fallback));

const environment = z.object({
  EMULSION_STREAM_BUFFER_BYTES: count(1024 * 1024),
  EMULSION_STREAM_MAX_SOCKETS: count(20_000),
  EMULSION_STREAM_MAX_PER_USER: count(16),
  EMULSION_STREAM_SWEEP_MS: count(1_000),
  EMULSION_STREAM_STALL_MS: count(30_000),
});

/** The limits of one stream node (DESIGN §2 rule 8). Times in milliseconds, sizes in bytes. */
export interface StreamSettings {
  /** Bytes that may wait for one reader; a live reader above it is cut with consumer_too_slow. */
  bufferBytes: number;
  maxStreams: number;
  maxPerUser: number;
  /** How often what was delivered is compared with stream.head. */
  sweepMs: number;
  /** How long a reader that is catching up may take nothing. */
  stallMs: number;
  /** How long a socket may be open without a token. */
  authMs: number;
  /** How often a filtered reader is told its cursor, and an SSE reader that we are here. */
  cursorMs: number;
  keepAliveMs: number;
  /** Messages a second that a client may send, and the bytes of one. */
  messagesPerSecond: number;
  messageBytes: number;
  /** Seconds without a byte from the client before the socket is closed; pings go out by themselves. */
  idleSeconds: number;
  earlyFrames: number;
  pageFrames: number;
  cursorEvery: number;
}

/** Reads the stream's own keys. Throws one sentence that names every wrong key. */
export function readStreamSettings(env: Record<string, string | undefined>): StreamSettings {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')} (${issue.message})`).join(', ');
    throw new Error(`The configuration is not usable: ${wrong}. Set these environment keys and start again.`);
  }
  return {
    bufferBytes: parsed.data.EMULSION_STREAM_BUFFER_BYTES,
    maxStreams: parsed.data.EMULSION_STREAM_MAX_SOCKETS,
    maxPerUser: parsed.data.EMULSION_STREAM_MAX_PER_USER,
    sweepMs: parsed.data.EMULSION_STREAM_SWEEP_MS,
    stallMs: parsed.data.EMULSION_STREAM_STALL_MS,
    ...fixed,
  };
}

const fixed = {
  authMs: 10_000,
  cursorMs: 5_000,
  keepAliveMs: 15_000,
  messagesPerSecond: 10,
  messageBytes: 16 * 1024,
  idleSeconds: 60,
  earlyFrames: 500,
  pageFrames: 200,
  cursorEvery: 100,
};
