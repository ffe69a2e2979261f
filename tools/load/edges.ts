import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { failure } from '../../deploy/native/failure.ts';

/** Who follows whom. Nodes keep the names of the file; an edge is a pair of their indices. */
export interface Graph {
  nodes: string[];
  followers: Uint32Array;
  followees: Uint32Array;
  lines: number;
  selfEdges: number;
  repeats: number;
}

/** A username is at most 30 characters and holds the node's name and the seed. */
const nodeName = /^[A-Za-z0-9_]{1,18}$/;
const longestLine = 200;
/** Two indices are kept as one number below 2^53. */
const maxNodes = 2 ** 26;

/**
 * Reads an edge list `a,b`, plain or gzip: a follows b, and b follows a too unless `directed`. Empty lines and lines
 * that begin with # are skipped, self-edges and repeats counted. Throws with the number of the first broken line,
 * before anything is loaded.
 */
export async function readGraph(file: string, options: { directed: boolean }): Promise<Graph> {
  const collector = createCollector(options.directed);
  let lines = 0;
  try {
    for await (const line of linesOf(await openText(file))) {
      lines += 1;
      if (line === '' || line.startsWith('#')) continue;
      const names = line.split(',').map((name) => name.trim());
      if (names.length !== 2 || !names.every((name) => nodeName.test(name)))
        throw brokenLine(file, lines, line);
      collector.add(names[0]!, names[1]!);
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'OperatorError') throw error;
    throw failure(
      `${file} could not be read to its end, after line ${lines}: ${(error as Error).message}. Nothing was loaded.`,
      'Check that the file is there and whole.',
    );
  }
  return { ...collector.graph(), lines };
}

function brokenLine(file: string, number: number, line: string): Error {
  return failure(
    `Line ${number} of ${file} is not "a,b" with two names of letters, digits and _: ${JSON.stringify(line.slice(0, 60))}. ` +
      `The ${number - 1} lines before it were read; nothing was loaded.`,
    'Mend or remove that line, then run this again.',
  );
}

function createCollector(directed: boolean) {
  const ids = new Map<string, number>();
  const edges = new Set<number>();
  let selfEdges = 0;
  let repeats = 0;
  const idOf = (name: string): number => {
    const known = ids.get(name);
    if (known !== undefined) return known;
    if (ids.size >= maxNodes) throw new Error(`more than ${maxNodes} people`);
    ids.set(name, ids.size);
    return ids.size - 1;
  };
  const addEdge = (from: number, to: number): boolean => {
    const size = edges.size;
    edges.add(from * maxNodes + to);
    return edges.size > size;
  };
  return {
    add(a: string, b: string): void {
      const from = idOf(a);
      const to = idOf(b);
      if (from === to) {
        selfEdges += 1;
        return;
      }
      const added = addEdge(from, to);
      if (!added) repeats += 1;
      if (!directed) addEdge(to, from);
    },
    graph() {
      const followers = Uint32Array.from(edges, (edge) => Math.floor(edge / maxNodes));
      const followees = Uint32Array.from(edges, (edge) => edge % maxNodes);
      return { nodes: [...ids.keys()], followers, followees, selfEdges, repeats };
    },
  };
}

/** gzip is known by its first bytes, not by the file's name. */
async function openText(file: string): Promise<Readable> {
  const handle: FileHandle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  await handle.close();
  const raw = createReadStream(file);
  if (bytesRead < 2 || buffer[0] !== 0x1f || buffer[1] !== 0x8b) return raw;
  const text = createGunzip();
  raw.once('error', (error) => text.destroy(error));
  return raw.pipe(text);
}

/** Lines without their ends. One that never ends is cut, so that a file of another kind can't fill the memory. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield line.replace(/\r$/, '').trim();
    if (rest.length > longestLine) {
      yield rest;
      rest = '';
    }
  }
  if (rest !== '') yield rest.trim();
}
