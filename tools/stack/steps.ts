import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { failure } from '../../deploy/native/failure.ts';
import type { Step } from '../../deploy/native/up.ts';

/** What the servers lack to be of use, with and without our services: the bucket and what strangers may read of it. */
export function afterServers(): Step[] {
  return [
    {
      name: 'bucket',
      run: async (stack) => {
        const { ensureBucket } = await import('./bucket.ts');
        await ensureBucket(stack);
      },
    },
  ];
}

type Prepare = (stack: Record<string, string>, log: (text: string) => void) => Promise<void>;

/** What is done between the servers and the services: migrations, topics, schemas. */
export function beforeServices(): Step[] {
  return [
    {
      name: 'prepare',
      run: async (stack, log) => {
        const file = join(import.meta.dirname, 'prepare.ts');
        if (!existsSync(file)) throw failure(`${file} does not exist.`, 'Check the clone.');
        const { prepare } = (await import(file)) as { prepare: Prepare };
        await prepare(stack, log);
      },
    },
  ];
}
