import { createClient } from './client.ts';
import { readGraph } from './edges.ts';
import { listPhotos } from './photos.ts';
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
  graph: string;
  directed: boolean;
  photos: string;
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
  const photos = options.uploads > 0 ? listPhotos(options.photos) : [];
  const graph = await readGraph(options.graph, options);
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
      seconds: (performance.now() - began) / 1_000,
    };
  } finally {
    client.close();
  }
}
