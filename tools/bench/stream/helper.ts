import { fork } from 'node:child_process';
import path from 'node:path';
import { cpuSeconds, residentBytes } from '../process.ts';
import type { BenchWorld } from '../world.ts';

/** A process of the bench itself, which does what it is asked. */
export interface Helper {
  /** One after the other is answered in any order. Rejects with what went wrong there. */
  ask<T>(name: string, request: object): Promise<T>;
  residentBytes(): number;
  cpuSeconds(): number;
}

interface Asked {
  id: number;
  name: string;
  request: object;
}

interface Told {
  id: number;
  answer?: unknown;
  fault?: string;
}

/** Starts one of the files beside; it ends with the world. */
export function startHelper(world: BenchWorld, file: string): Helper {
  const child = fork(path.resolve(import.meta.dirname, file), { execArgv: [] });
  const open = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  let asked = 0;
  child.on('message', ({ id, answer, fault }: Told) => {
    const waiting = open.get(id);
    open.delete(id);
    if (fault === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(fault));
  });
  child.on('exit', () => {
    for (const { reject } of open.values()) reject(new Error(`${file} ended.`));
  });
  world.atEnd(async () => void child.kill('SIGKILL'));
  return {
    ask<T>(name: string, request: object): Promise<T> {
      asked += 1;
      const id = asked;
      return new Promise<T>((resolve, reject) => {
        open.set(id, { resolve: resolve as (answer: unknown) => void, reject });
        child.send({ id, name, request } satisfies Asked);
      });
    },
    residentBytes: () => residentBytes(child.pid!),
    cpuSeconds: () => cpuSeconds(child.pid!),
  };
}

/** The other side of it: answers what is asked by name; ends with whoever asks. */
// biome-ignore lint/suspicious/noExplicitAny: requests of many shapes
export function serveHelper(does: Record<string, (request: any) => Promise<unknown>>): void {
  process.on('message', async ({ id, name, request }: Asked) => {
    const told: Told = await does[name]!(request).then(
      (answer) => ({ id, answer }),
      (error: Error) => ({ id, fault: error.message }),
    );
    process.send!(told);
  });
  process.on('disconnect', () => process.exit(0));
}
