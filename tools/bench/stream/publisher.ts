import { once } from 'node:events';
import net from 'node:net';
import { streamKey } from '../../../schemas/notify/frame.ts';
import { framesFor } from './frames.ts';

/** Gives frames to Redis as the reactor publishes them, on a connection that does nothing else. */
export interface Publisher {
  /** Resolves when all is on its way. */
  publish(commands: readonly Buffer[]): Promise<void>;
  close(): void;
}

const commandsEach = 1_000;

/** The commands, made before the clock runs. */
export function publications(
  prefix: string,
  people: readonly { userId: string; seq: number }[],
  each: number,
): Buffer[] {
  const buffers: Buffer[] = [];
  let commands: string[] = [];
  const flush = (): void => {
    if (commands.length > 0) buffers.push(Buffer.from(commands.join('')));
    commands = [];
  };
  for (const { userId, text } of framesFor(people, each)) {
    const key = streamKey(prefix, userId);
    commands.push(
      `*3\r\n$7\r\nPUBLISH\r\n$${key.length}\r\n${key}\r\n$${Buffer.byteLength(text)}\r\n${text}\r\n`,
    );
    if (commands.length === commandsEach) flush();
  }
  flush();
  return buffers;
}

export async function openPublisher(redisUrl: string): Promise<Publisher> {
  const { hostname, port, password } = new URL(redisUrl);
  const socket = net.connect(Number(port || 6_379), hostname);
  await once(socket, 'connect');
  // Answers say how many have heard it; whoever has heard it says so, too.
  socket.resume();
  if (password) socket.write(`AUTH ${decodeURIComponent(password)}\r\n`);
  return {
    async publish(commands) {
      for (const buffer of commands) if (!socket.write(buffer)) await once(socket, 'drain');
    },
    close: () => socket.destroy(),
  };
}
