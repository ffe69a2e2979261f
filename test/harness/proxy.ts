import net, { type Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';
import type { Random } from '../../tools/load/random.ts';

/** What happens to one produce request on its way to the broker, and to the answer on its way back. */
export type ProduceFault =
  | 'none'
  /** The connection is cut and the broker never sees the request. */
  | 'request lost'
  /** The broker gets the whole request, the connection is cut at once. */
  | 'cut after request'
  /** The connection is cut when the broker's answer is there. */
  | 'cut at response'
  /** The answer is swallowed and the connection stays. */
  | 'response lost';

/** A TCP proxy before one broker that knows where requests and answers of Kafka's protocol begin and end. */
export interface KafkaProxy {
  /** For kafkajs: the broker advertises its own address, so every connection has to be led here. */
  socketFactory: ISocketFactory;
  /** `127.0.0.1:port`, for a broker that advertises it. */
  address: string;
  /** Milliseconds by which each request, and each answer, comes later. */
  delayMs: number;
  /** Asked for each produce request; everything else passes. */
  faultOf: () => ProduceFault;
  /** How often each fault has struck. */
  counts: Record<ProduceFault, number>;
  close(): Promise<void>;
}

/** What befalls 25 requests, dealt in another order each time: every fault strikes, however few requests there are. */
const deck: ProduceFault[] = [
  ...Array<ProduceFault>(2).fill('cut after request'),
  ...Array<ProduceFault>(2).fill('cut at response'),
  'request lost',
  'response lost',
  ...Array<ProduceFault>(19).fill('none'),
];

export function dealtFaults(random: Random): () => ProduceFault {
  const left: ProduceFault[] = [];
  return () => {
    if (left.length === 0) left.push(...deck);
    return left.splice(random.below(left.length), 1)[0]!;
  };
}

/** API key of Produce in Kafka's protocol. */
const produce = 0;

export async function openKafkaProxy(broker: string): Promise<KafkaProxy> {
  const colon = broker.lastIndexOf(':');
  const [host, port] = [broker.slice(0, colon), Number(broker.slice(colon + 1))];
  const sockets = new Set<Socket>();
  const server = net.createServer((client) => {
    const upstream = net.connect({ host, port });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    const nextFault = (): ProduceFault => {
      const fault = proxy.faultOf();
      proxy.counts[fault] += 1;
      return fault;
    };
    relay(client, upstream, nextFault, () => proxy.delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = (server.address() as net.AddressInfo).port;
  const proxy: KafkaProxy = {
    address: `127.0.0.1:${own}`,
    delayMs: 0,
    socketFactory: ({ onConnect }) => net.connect({ host: '127.0.0.1', port: own }, onConnect),
    faultOf: () => 'none',
    counts: { none: 0, 'request lost': 0, 'cut after request': 0, 'cut at response': 0, 'response lost': 0 },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function relay(client: Socket, upstream: Socket, nextFault: () => ProduceFault, delayMs: () => number): void {
  const fates = new Map<number, ProduceFault>();
  const [there, back] = [later(delayMs), later(delayMs)];
  const fromClient = openFrames((frame) => {
    const fault = frame.readInt16BE(4) === produce ? nextFault() : 'none';
    if (fault === 'request lost') return client.destroy();
    fates.set(frame.readInt32BE(8), fault);
    there(() => {
      upstream.write(frame);
      if (fault === 'cut after request') client.destroy();
    });
  });
  const fromBroker = openFrames((frame) => {
    const correlation = frame.readInt32BE(4);
    const fault = fates.get(correlation);
    fates.delete(correlation);
    if (fault === 'cut at response') client.destroy();
    if (fault === 'none') back(() => client.write(frame));
  });
  client.on('data', (bytes) => !client.destroyed && fromClient(bytes));
  upstream.on('data', fromBroker);
  // What was handed on before the cut still arrives: the broker reads up to the end.
  client.on('close', () => there(() => upstream.end()));
  upstream.on('close', () => client.destroy());
}

/** Does one thing after the other, each later by what the delay is when it comes. */
function later(delayMs: () => number): (act: () => void) => void {
  const waiting: (() => void)[] = [];
  return (act) => {
    const ms = delayMs();
    if (ms === 0 && waiting.length === 0) return act();
    waiting.push(act);
    setTimeout(() => waiting.shift()!(), ms);
  };
}

/** Gives whole requests or answers: four bytes of length, then that many bytes. */
function openFrames(take: (frame: Buffer) => unknown): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0);
      const frame = rest.subarray(0, end);
      rest = rest.subarray(end);
      take(frame);
    }
  };
}
