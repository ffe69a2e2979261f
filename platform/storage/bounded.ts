import type { Readable } from 'node:stream';

/** What a bounded read found. A missing or too large object is an answer; only an outage is an error. */
export type Fetched =
  | { found: 'whole'; body: Buffer }
  | { found: 'too_large'; size: number }
  | { found: 'nothing' };

export type BoundedStream = Readable & AsyncIterable<Buffer>;

/**
 * Reads a body up to maxBytes and withinMs milliseconds. The announced length saves the transfer of what is too
 * large anyway, and is never believed: an answer that was cut off is an error, one that goes on is too large.
 */
export async function readBounded(
  stream: BoundedStream,
  announced: number | undefined,
  limits: { maxBytes: number; withinMs: number },
): Promise<Fetched> {
  const timer = setTimeout(() => stream.destroy(new Error('the body took too long')), limits.withinMs);
  try {
    if (announced !== undefined && announced > limits.maxBytes)
      return { found: 'too_large', size: announced };
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > limits.maxBytes) return { found: 'too_large', size };
      chunks.push(chunk);
    }
    if (announced !== undefined && size !== announced) throw new Error(`${size} of ${announced} bytes came`);
    return { found: 'whole', body: Buffer.concat(chunks, size) };
  } finally {
    clearTimeout(timer);
    stream.destroy();
  }
}
