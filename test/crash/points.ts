import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import path from 'node:path';
import type { ServiceName } from '../harness/services.ts';

/** A place in the source where a process may be made to die. */
export interface Point {
  name: string;
  /** The service whose process is to die there. */
  service: ServiceName;
}

const root = path.resolve(import.meta.dirname, '../..');

/** Who runs the code of a folder, the narrower folder first; of what several run, the one with the most to lose. */
const runners: [folder: string, service: ServiceName][] = [
  ['command-api/', 'command-api'],
  ['media-pipeline/', 'media-pipeline'],
  ['projectors/notify/', 'reactors'],
  ['projectors/', 'projectors'],
  ['platform/', 'projectors'],
];

const rooms = ['command-api', 'media-pipeline', 'platform', 'projectors', 'query-api', 'schemas'];

/** Every crash point that the source names. Throws for one in a folder of which nobody is known to run it. */
export async function pointsInSource(): Promise<Point[]> {
  const points: Point[] = [];
  for (const room of rooms) {
    for await (const file of glob(`${room}/**/*.ts`, { cwd: root })) {
      const text = readFileSync(path.join(root, file), 'utf8');
      for (const [, name] of text.matchAll(/crashPoint\('([^']+)'\)/g))
        points.push({ name: name!, service: runnerOf(file) });
    }
  }
  return points.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function runnerOf(file: string): ServiceName {
  const found = runners.find(([folder]) => file.startsWith(folder));
  if (!found)
    throw new Error(`${file} names a crash point, and it is not known which process would die there`);
  return found[1];
}
