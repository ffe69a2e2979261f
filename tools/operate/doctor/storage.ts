import { randomUUID } from 'node:crypto';
import { openStorage } from '../../../platform/storage/s3.ts';
import { type Found, messageOf, ok, warn, wrong } from './finding.ts';
import type { Patient } from './patient.ts';

const noRoom = /InsufficientStorage|no space left/i;

/** Writes, reads and removes one small object. */
export async function checkStorage({ config }: Patient): Promise<Found[]> {
  if (!config.s3)
    return [warn('uploads are off: no S3_ENDPOINT is set', 'Set the S3_ keys if people are to upload.')];
  const storage = openStorage(config.s3);
  const key = `doctor/${randomUUID()}`;
  const body = Buffer.from('probe');
  try {
    await storage.put(key, body, { contentType: 'text/plain', cacheControl: 'no-store' });
    const stored = await storage.head(key);
    await storage.remove([key]);
    if (stored?.size !== body.length || (await storage.exists(key)))
      return [
        wrong(
          `${config.s3.endpoint} does not give back what it was given, or keeps what was removed`,
          'Look at the object store: nothing it holds can be trusted.',
        ),
      ];
    return [ok(`bucket ${config.s3.bucket} takes, gives and removes an object`)];
  } catch (error) {
    const cause = (error as Error).cause ?? error;
    return [
      wrong(
        `${config.s3.endpoint}, bucket ${config.s3.bucket}: ${messageOf(cause)}`,
        noRoom.test(messageOf(cause))
          ? 'Make room on its disk. Uploads are refused meanwhile; what is there is shown.'
          : 'Start it (npx emulsion up makes the bucket too), or correct the S3_ keys. Uploads wait meanwhile.',
      ),
    ];
  } finally {
    storage.close();
  }
}
