import { from } from 'pg-copy-streams';
import type { Client } from './pool.ts';

/** Sends prepared lines (see copyLine) to a table by COPY, in the client's transaction. */
export async function copyInto(
  client: Client,
  table: string,
  columns: readonly string[],
  chunks: readonly string[],
): Promise<void> {
  const stream = client.query(from(`COPY ${table} (${columns.join(', ')}) FROM STDIN`));
  await new Promise<void>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('finish', () => resolve());
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
  });
}

/** A value as COPY's text format takes it. */
export function copyText(value: string): string {
  return /[\\\t\n\r]/.test(value) ? value.replace(/[\\\t\n\r]/g, (c) => escapes[c]!) : value;
}

const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
