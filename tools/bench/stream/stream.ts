import { setTimeout as sleep } from 'node:timers/promises';
import { against, type BenchReport, figureOf, loadNow, type Run } from '../figures.ts';
import { appendEvents } from '../likes.ts';
import { createMembers, openTokens } from '../people.ts';
import { installModels } from '../projectors.ts';
import type { BenchWorld } from '../world.ts';
import { type Helper, startHelper } from './helper.ts';
import { keepFrames, likesTo, type StreamNode, startStreamNode } from './node.ts';
import { openPublisher, type Publisher, publications } from './publisher.ts';
import type { OpenRequest } from './sockets.ts';

export interface StreamOptions {
  sockets: number;
  runs: number;
  say(text: string): void;
}

/** Whoever has a socket at both, and the last numbers of their frames there. */
interface Person {
  userId: string;
  token: string;
  seq: number;
  rawSeq: number;
}

interface Bench {
  world: BenchWorld;
  people: Person[];
  clients: Helper[];
  node: StreamNode;
  raw: Helper;
  publisher: Publisher;
}

const clientProcesses = 2;
/** Frames for each socket in a burst, and bursts in a run; the next begins when all of one have arrived. */
const framesEach = 5;
const bursts = 4;
/** Frames for each socket by the whole path: appended as likes, numbered by the reactor. */
const likesEach = 2;
/** Who comes back at once, and what each has missed. */
const resuming = 2_000;
const missedEach = 20;
/** Until a process has given back what it needed for opening. */
const settleMs = 3_000;

/** Frames to thousands of sockets of one stream node; the engine alone takes turns with the same frames and clients. */
export async function benchStream(world: BenchWorld, options: StreamOptions): Promise<BenchReport> {
  const { runs, sockets, say } = options;
  const loadAverage = loadNow();
  const bench = await openBench(world, sockets);
  say(`opening ${sockets.toLocaleString('en')} sockets to the node, and as many to the engine alone`);
  const ours = await openSockets(bench, 'node', bench.node.process.residentBytes, nodePaths);
  const bare = await openSockets(bench, 'raw', bench.raw.residentBytes, rawPaths);
  say('likes that become frames: by the log, the reactor and the node');
  const whole = await wholePath(bench);
  const back = await resume(bench, say);
  const published: Run[] = [];
  const raw: Run[] = [];
  for (let run = 1; run <= runs; run += 1) {
    say(`run ${run} of ${runs}: frames by the node, by the engine alone`);
    published.push(await publishRun(bench));
    raw.push(await rawRun(bench));
  }
  const ceiling = figureOf('ceiling: uWebSockets.js alone, the same frames', raw);
  const name = `frames to ${sockets.toLocaleString('en')} sockets of one node`;
  return {
    bench: 'stream',
    subject: against(figureOf(name, published), [ceiling]),
    others: [
      ceiling,
      figureOf('likes appended to the log, until their frames came', [whole]),
      figureOf(`frames missed by ${back.sockets.toLocaleString('en')} who came back at once`, [back.run]),
    ],
    loadAverage,
    notes: [
      `a socket takes ${kilobytes(ours.bytes)} of the node's memory, ${kilobytes(bare.bytes)} of the engine's alone`,
      `all were open after ${ours.seconds.toFixed(1)} s (${bare.seconds.toFixed(1)} s)`,
      `${back.sockets.toLocaleString('en')} sockets at once had the ${missedEach} frames that each had missed after ${back.run.seconds.toFixed(1)} s`,
    ],
  };
}

async function openBench(world: BenchWorld, sockets: number): Promise<Bench> {
  await installModels(world);
  const tokenOf = await openTokens(world);
  const people = createMembers(sockets, 'listener').map(({ userId }) => ({
    ...{ userId, seq: 0, rawSeq: 0 },
    token: tokenOf(userId),
  }));
  const clients = Array.from({ length: clientProcesses }, () => startHelper(world, 'sockets.ts'));
  const publisher = await openPublisher(world.env.REDIS_URL!);
  world.atEnd(async () => publisher.close());
  const node = await startStreamNode(world, sockets);
  return { world, people, clients, node, raw: startHelper(world, 'raw.ts'), publisher };
}

type PathOf = (person: Person) => string;
const nodePaths: PathOf = () => '/ws';
const rawPaths: PathOf = ({ userId }) => `/ws?user=${userId}`;

/** Opens one for each person; gives the memory that one takes of the server. */
async function openSockets(
  bench: Bench,
  group: 'node' | 'raw',
  residentBytes: () => number,
  pathOf: PathOf,
): Promise<{ bytes: number; seconds: number }> {
  const port = group === 'node' ? bench.node.port : await bench.raw.ask<number>('listen', {});
  const before = residentBytes();
  const began = performance.now();
  await open(bench, group, port, bench.people, pathOf);
  const seconds = (performance.now() - began) / 1_000;
  await sleep(settleMs);
  return { bytes: (residentBytes() - before) / bench.people.length, seconds };
}

/** Shared among the clients; resolves when each was greeted. */
async function open(
  { clients }: Bench,
  group: string,
  port: number,
  people: readonly Person[],
  pathOf: PathOf,
): Promise<void> {
  await Promise.all(
    clients.map(async (client, n) => {
      const own = shareOf(people, n);
      const request: OpenRequest = {
        ...{ group, port },
        people: own.map((person) => ({ path: pathOf(person), token: person.token })),
      };
      await client.ask('open', request);
      await client.ask('arrived', { group, texts: own.length });
    }),
  );
}

function shareOf<T>(items: readonly T[], n: number): T[] {
  return items.filter((_, index) => index % clientProcesses === n);
}

/** Resolves when each of so many sockets of a group has so many texts more. */
async function allArrived({ clients, people }: Bench, group: string, each: number): Promise<void> {
  await Promise.all(
    clients.map((client, n) => client.ask('arrived', { group, texts: shareOf(people, n).length * each })),
  );
}

/** From the first append until everybody has their frames. */
async function wholePath(bench: Bench): Promise<Run> {
  const { world, people } = bench;
  const events = likesTo(
    people.map(({ userId }) => userId),
    likesEach,
    'whole path',
  );
  const began = performance.now();
  await Promise.all([appendEvents(world, events), allArrived(bench, 'node', likesEach)]);
  const seconds = (performance.now() - began) / 1_000;
  for (const person of people) person.seq += likesEach;
  return { count: events.length, seconds };
}

/** Some go, miss frames, and come back all at once with their cursors. */
async function resume(bench: Bench, say: (text: string) => void): Promise<{ run: Run; sockets: number }> {
  const { world, clients, people, node } = bench;
  // The clients close their first ones.
  const gone = people.slice(0, Math.min(resuming, people.length));
  say(`${gone.length.toLocaleString('en')} go, miss ${missedEach} frames each, and come back at once`);
  await Promise.all(
    clients.map((client, n) => client.ask('close', { group: 'node', sockets: shareOf(gone, n).length })),
  );
  const ids = gone.map(({ userId }) => userId);
  await keepFrames(world, ids, likesTo(ids, missedEach, 'missed'));
  const cursors = new Map(gone.map(({ userId, seq }) => [userId, seq]));
  const began = performance.now();
  await open(bench, 'node', node.port, gone, ({ userId }) => `/ws?cursor=${cursors.get(userId)}`);
  // The frame of the cursor comes once more.
  const texts = missedEach + 1;
  await Promise.all(
    clients.map((client, n) =>
      client.ask('arrived', { group: 'node', texts: shareOf(gone, n).length * texts }),
    ),
  );
  const seconds = (performance.now() - began) / 1_000;
  for (const person of gone) person.seq += missedEach;
  return { run: { count: gone.length * missedEach, seconds }, sockets: gone.length };
}

async function publishRun(bench: Bench): Promise<Run> {
  const { world, people, publisher, node } = bench;
  const run = await runOf(bench, 'node', node.process, async () => {
    const commands = publications(world.prefix, people, framesEach);
    for (const person of people) person.seq += framesEach;
    return () => publisher.publish(commands);
  });
  return { ...run, memoryMb: node.process.memoryMb() };
}

async function rawRun(bench: Bench): Promise<Run> {
  const { people, raw } = bench;
  return runOf(bench, 'raw', raw, async () => {
    const numbered = people.map(({ userId, rawSeq }) => ({ userId, seq: rawSeq }));
    await raw.ask('prepare', { people: numbered, each: framesEach });
    for (const person of people) person.rawSeq += framesEach;
    return () => raw.ask('publish', {});
  });
}

/** Bursts whose frames are made before the clock runs, each until the last frame has arrived. */
async function runOf(
  bench: Bench,
  group: string,
  server: Pick<Helper, 'cpuSeconds'>,
  prepare: () => Promise<() => Promise<unknown>>,
): Promise<Run> {
  let seconds = 0;
  let cpu = 0;
  for (let burst = 0; burst < bursts; burst += 1) {
    const publish = await prepare();
    const began = performance.now();
    const before = server.cpuSeconds();
    await Promise.all([publish(), allArrived(bench, group, framesEach)]);
    seconds += (performance.now() - began) / 1_000;
    cpu += server.cpuSeconds() - before;
  }
  return { count: bench.people.length * framesEach * bursts, seconds, cpuSeconds: cpu };
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_024).toFixed(1)} KiB`;
}
