import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Part } from '../parts.ts';
import type { Ports } from './ports.ts';

/** Whether the part answers now as one that is ready. Never throws. */
export async function isReady(part: Part, ports: Ports): Promise<boolean> {
  const probe = part.probe;
  if (probe.kind === 'none') return true;
  const port = ports[probe.port]!;
  try {
    if (probe.kind === 'http') return await answersHttp(port, probe.path);
    if (probe.kind === 'redis')
      return /^(\+PONG|-NOAUTH)/.test((await ask(port, 'PING\r\n')).toString('latin1'));
    if (probe.kind === 'postgres') return isPostgres(await ask(port, postgresHello));
    return await isBroker(port);
  } catch {
    return false;
  }
}

/** Waits until it is ready; false when time is up or `alive` says that it ended. */
export async function waitReady(
  part: Part,
  ports: Ports,
  alive: () => boolean,
  waitMs: number,
): Promise<boolean> {
  const deadline = Date.now() + waitMs;
  while (Date.now() < deadline) {
    if (!alive()) return false;
    if (await isReady(part, ports)) return true;
    await sleep(50);
  }
  return false;
}

async function answersHttp(port: number, path: string): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(2000) });
  await response.arrayBuffer();
  return response.ok;
}

/** ApiVersions (key 18, version 0) with correlation id 1 and an empty client id. */
const apiVersions = Buffer.from('0000000a00120000000000010000', 'hex');
/** Metadata (key 3, version 1) for no topic: it names the brokers that may be led by. */
const metadata = Buffer.from('0000000e0003000100000002000000000000', 'hex');

async function isBroker(port: number): Promise<boolean> {
  const versions = await ask(port, apiVersions);
  if (versions.length < 10 || versions.readInt16BE(8) !== 0) return false;
  const answer = await ask(port, metadata);
  return answer.length >= 12 && answer.readInt32BE(8) > 0; // a fenced broker isn't listed yet
}

/** An SSLRequest: any Postgres that takes connections answers S or N, one that is starting too, so ask further. */
const postgresHello = startupMessage();

function startupMessage(): Buffer {
  const body = Buffer.from('\0\0\0\0\0\x03\0\0user\0probe\0database\0postgres\0\0', 'latin1');
  body.writeInt32BE(body.length, 0);
  return body;
}

/** 'R' asks for a password: it is up. 'E' with 57P03 says that it is still starting. */
function isPostgres(answer: Buffer): boolean {
  return answer[0] === 0x52 || (answer[0] === 0x45 && !answer.includes('57P03'));
}

/** Sends and gives the first bytes answered. */
function ask(port: number, message: string | Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(message));
    socket.setTimeout(2000, () => socket.destroy(new Error('no answer')));
    socket.once('data', (data) => {
      resolve(data);
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
}
