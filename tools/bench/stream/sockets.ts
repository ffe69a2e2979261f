import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { eachOf } from '../../load/each.ts';
import { serveHelper } from './helper.ts';
import { type Incoming, newIncoming, take } from './incoming.ts';
import { outOfOrder, type Place } from './order.ts';

/** The clients of the bench: thousands of sockets of one process that count what comes, by group. */
interface Group {
  sockets: net.Socket[];
  /** Texts that have come since they were last waited for. */
  texts: number;
  wanted: number;
  done: (() => void) | null;
  fault: string | null;
}

export interface OpenRequest {
  group: string;
  port: number;
  /** Of each socket. */
  people: { path: string; token: string }[];
}

/** Handshakes under way. */
const openAtOnce = 50;
/** One of so many is looked into: its frames must be in order. */
const watchEvery = 50;
const groups = new Map<string, Group>();
/** Whatever comes is counted before the next comes. */
const shared = Buffer.alloc(65_536);
/** A client's frames are masked; with nothing in it there is nothing to mask. */
const pong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

serveHelper({
  /** Resolves when each has been greeted. */
  async open({ group: name, port, people }: OpenRequest) {
    const group: Group = groups.get(name) ?? { sockets: [], texts: 0, wanted: 0, done: null, fault: null };
    groups.set(name, group);
    await eachOf(people.length, openAtOnce, async (index) => {
      group.sockets.push(await open(group, port, people[index]!, index % watchEvery === 0));
    });
  },
  /** Resolves when so many texts have come since the last time. */
  async arrived({ group: name, texts }: { group: string; texts: number }) {
    const group = groups.get(name)!;
    group.wanted = texts;
    if (group.texts < texts) await new Promise<void>((resolve) => Object.assign(group, { done: resolve }));
    group.texts -= texts;
    if (group.fault) throw new Error(group.fault);
  },
  async close({ group: name, sockets }: { group: string; sockets: number }) {
    for (const socket of groups.get(name)!.sockets.splice(0, sockets)) socket.destroy();
  },
});

function open(
  group: Group,
  port: number,
  { path, token }: OpenRequest['people'][number],
  watched: boolean,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const incoming = newIncoming(watched);
    const place: Place = { seq: null };
    let greeted = false;
    const socket: net.Socket = net.connect({
      ...{ host: '127.0.0.1', port },
      onread: {
        buffer: shared,
        callback(length) {
          const texts = read(group, incoming, length, reject);
          if (incoming.texts) look(group, place, incoming.texts);
          for (; incoming.pings > 0; incoming.pings -= 1) socket.write(pong);
          if (texts > 0 && !greeted) resolve(socket);
          greeted ||= texts > 0;
          count(group, texts);
          return true;
        },
      },
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (group.sockets.includes(socket)) tellFault(group, 'A socket was closed by the server.');
    });
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nUpgrade: websocket\r\n` +
        `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
  });
}

function read(group: Group, incoming: Incoming, length: number, reject: (error: Error) => void): number {
  try {
    return take(incoming, shared, length);
  } catch (error) {
    reject(error as Error);
    tellFault(group, (error as Error).message);
    return 0;
  }
}

function look(group: Group, place: Place, texts: string[]): void {
  for (const text of texts.splice(0)) {
    const fault = outOfOrder(place, text);
    if (fault) tellFault(group, `The frames of a socket are not in order: ${fault}`);
  }
}

function count(group: Group, texts: number): void {
  group.texts += texts;
  if (group.texts >= group.wanted) group.done?.();
}

/** Whoever waits learns of it at once. */
function tellFault(group: Group, fault: string): void {
  group.fault ??= fault;
  group.done?.();
}
