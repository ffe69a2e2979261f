import { from } from 'pg-copy-streams';
import type { Client } from './pool.ts';

/** Sends rows of the binary format (copyRows) to a table by COPY, in the client's transaction. */
export async function copyInto(
  client: Client,
  table: string,
  columns: readonly string[],
  rows: Buffer,
): Promise<void> {
  const stream = client.query(from(`COPY ${table} (${columns.join(', ')}) FROM STDIN (FORMAT binary)`));
  await new Promise<void>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('finish', () => resolve());
    stream.end(rows);
  });
}
