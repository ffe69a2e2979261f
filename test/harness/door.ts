import net, { type Socket } from 'node:net';

/** A TCP proxy before one server, that a test can shut, open again, or leave standing without an answer. */
export interface Door {
  port: number;
  /** `127.0.0.1:port` */
  address: string;
  /** Whoever is connected is cut, whoever comes is refused. */
  shut(): Promise<void>;
  /** Connections are taken and nothing passes: the worst kind of outage. */
  silence(): void;
  open(): Promise<void>;
  close(): Promise<void>;
}

/**
 * `address` is `host:port`. With `broker`, what Kafka says of its own address is led here too: a client is told where
 * the brokers are by the first one it asks, and would go round the door.
 */
export async function openDoor(address: string, kind: 'plain' | 'broker' = 'plain'): Promise<Door> {
  const colon = address.lastIndexOf(':');
  const [host, port] = [address.slice(0, colon), Number(address.slice(colon + 1))];
  const sockets = new Set<Socket>();
  let silent = false;
  let own = 0;
  const server = net.createServer((client) => {
    const upstream = net.connect({ host, port });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (bytes) => silent || upstream.write(bytes));
    upstream.on(
      'data',
      (bytes) => silent || client.write(kind === 'broker' ? ledTo(bytes, host, port, own) : bytes),
    );
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  const listen = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(own, '127.0.0.1', resolve);
    });
  await listen();
  own = (server.address() as net.AddressInfo).port;
  const shut = async (): Promise<void> => {
    const closed = server.listening ? new Promise((resolve) => server.close(resolve)) : null;
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    port: own,
    address: `127.0.0.1:${own}`,
    shut,
    silence() {
      silent = true;
    },
    async open() {
      silent = false;
      if (!server.listening) await listen();
    },
    close: shut,
  };
}

/** Host and port stand one behind the other in every answer that names a broker. */
function ledTo(bytes: Buffer, host: string, port: number, own: number): Buffer {
  const tail = Buffer.alloc(4);
  tail.writeInt32BE(port);
  const named = Buffer.concat([Buffer.from(host), tail]);
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(named); at !== -1; at = copy.indexOf(named, at + 1))
    copy.writeInt32BE(own, at + host.length);
  return copy;
}
