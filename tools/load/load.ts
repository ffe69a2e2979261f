import { createClient } from './client.ts';
import { type Graph, readGraph } from './edges.ts';
import { watchMemory } from './memory.ts';
import { listPhotos, type PhotoFile } from './photos.ts';
import { drawPicture } from './pictures.ts';
import { planGraph } from './plan.ts';
import { countEvents, countRows, graphReport, type LoadReport } from './report.ts';
import { awaitProjections, type Installation } from './settle.ts';
import { createTally } from './tally.ts';
import {
  awaitMedia,
  followAll,
  type Loading,
  likeAll,
  publishAll,
  registerPeople,
  uploadAll,
} from './world.ts';

export interface LoadOptions {
  /** A file; without one, so many people and follows are drawn. */
  graph?: string;
  directed: boolean;
  people: number;
  follows: number;
  /** A folder; without one, pictures are drawn. */
  photos?: string;
  uploads: number;
  posts: number;
  likes: number;
  seed: string;
  publicUrl: string;
}

const connections = 64;

/**
 * Loads a world through the public API: people, photographs, follows, posts, likes. Between the phases it waits for the
 * projections, because a command is checked against them. A second run with the same seed repeats it safely.
 */
export async function load(options: LoadOptions, at: Installation): Promise<LoadReport> {
  const began = performance.now();
  const photos = await photosOf(options);
  const graph = await graphOf(options);
  const memory = watchMemory();
  const client = createClient(options.publicUrl, connections);
  const loading: Loading = { client, graph, seed: options.seed, people: [], tally: createTally() };
  try {
    await registerPeople(loading);
    await awaitProjections(at);
    const uploaded = await uploadAll(loading, photos, options.uploads);
    await followAll(loading);
    const ready = await awaitMedia(loading, uploaded);
    const posts = await publishAll(loading, ready, options.posts);
    await awaitProjections(at);
    await likeAll(loading, posts, options.likes);
    const lag = await awaitProjections(at);
    return {
      graph: graphReport(graph),
      photographs: {
        uploaded: uploaded.length,
        ready: ready.length,
        rejected: uploaded.length - ready.length,
      },
      ...loading.tally,
      retries: client.retries(),
      events: await countEvents(at),
      rows: await countRows(at),
      lag,
      memoryMb: memory.peaks(),
      seconds: (performance.now() - began) / 1_000,
    };
  } finally {
    memory.stop();
    client.close();
  }
}

async function graphOf({ graph, directed, people, follows, seed }: LoadOptions): Promise<Graph> {
  return graph === undefined ? planGraph(people, follows, seed) : readGraph(graph, { directed });
}

const drawnPictures = 20;

async function photosOf({ uploads, photos, seed }: LoadOptions): Promise<PhotoFile[]> {
  if (uploads === 0) return [];
  if (photos !== undefined) return listPhotos(photos);
  return Promise.all(Array.from({ length: drawnPictures }, (_, n) => drawPicture(`${seed} ${n}`)));
}
