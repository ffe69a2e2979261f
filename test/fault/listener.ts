import type { Addresses, Person } from '../harness/client.ts';
import { connect, pause, type Socket } from '../stream/stage.ts';

/** Somebody at the live stream who comes back after each cut, with the number that they saw last. */
export interface Listener {
  /** What was told so far, by number. */
  told(): { seq: number; type: string; data: Record<string, string> }[];
  close(): void;
}

const againAfterMs = 200;

export function listen(services: Addresses, person: Person): Listener {
  const told = new Map<number, ReturnType<Listener['told']>[number]>();
  let open = true;
  let socket: Socket | null = null;
  const take = (): void => {
    for (const message of socket?.got ?? []) if (message.time !== undefined) told.set(message.seq, message);
  };
  const stay = async (): Promise<void> => {
    while (open) {
      const cursor = `${Math.max(0, ...told.keys())}`;
      socket = connect(services.stream, { token: person.token, query: { cursor } });
      await socket.closed;
      take();
      await pause(againAfterMs);
    }
  };
  void stay();
  return {
    told() {
      take();
      return [...told.values()].sort((a, b) => a.seq - b.seq);
    },
    close() {
      open = false;
      socket?.close();
    },
  };
}
