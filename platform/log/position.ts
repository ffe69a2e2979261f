import { createHmac, timingSafeEqual } from 'node:crypto';
import { ProblemError } from '../errors/problem.ts';

/** Where one record is: topic without prefix. */
export interface Position {
  topic: string;
  partition: number;
  offset: bigint;
}

/** What a client carries from its writes to its reads: the newest offset per partition, and the newest event time. */
export interface PositionToken {
  positions: Position[];
  /** Milliseconds since the epoch. */
  time: number;
}

/** More partitions than this in one token: the oldest writes are dropped from it (rule 8, bounded). */
const maxPositions = 32;

/** Opaque and signed, so that nobody can send event time ahead of the clock. */
export function encodePosition(token: PositionToken, key: Buffer): string {
  const body = Buffer.from(
    JSON.stringify([token.time, ...token.positions.map((p) => [p.topic, p.partition, Number(p.offset)])]),
  );
  return `${body.toString('base64url')}.${sign(body, key)}`;
}

/** Throws position_invalid for anything that encodePosition did not make. */
export function decodePosition(text: string, key: Buffer): PositionToken {
  const [body, signature, ...rest] = text.split('.');
  if (!body || !signature || rest.length > 0 || text.length > 4_096) throw invalid();
  const bytes = Buffer.from(body, 'base64url');
  const expected = Buffer.from(sign(bytes, key));
  const given = Buffer.from(signature);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) throw invalid();
  const [time, ...positions] = JSON.parse(bytes.toString()) as [number, ...[string, number, number][]];
  return {
    time,
    positions: positions.map(([topic, partition, offset]) => ({ topic, partition, offset: BigInt(offset) })),
  };
}

/** The later of both, partition by partition. */
export function mergePosition(earlier: PositionToken | null, later: PositionToken): PositionToken {
  const merged = new Map<string, Position>();
  for (const position of [...(earlier?.positions ?? []), ...later.positions]) {
    const id = `${position.topic}/${position.partition}`;
    const known = merged.get(id);
    merged.delete(id);
    merged.set(id, known && known.offset > position.offset ? known : position);
  }
  return {
    positions: [...merged.values()].slice(-maxPositions),
    time: Math.max(earlier?.time ?? 0, later.time),
  };
}

function sign(body: Buffer, key: Buffer): string {
  return createHmac('sha256', key).update(body).digest('base64url').slice(0, 22);
}

function invalid(): ProblemError {
  return new ProblemError({
    code: 'position_invalid',
    status: 400,
    title: 'The position token is not one of ours',
    detail: 'Send the X-Position of an earlier answer unchanged, or leave X-Min-Position out.',
  });
}
