import * as uWS from 'uWebSockets.js';
import { framesFor } from './frames.ts';
import { serveHelper } from './helper.ts';

/** The ceiling of the bench on streams: the engine alone. Each socket has a topic, and frames are published to it. */
interface SocketData {
  userId: string;
}

/** Published before the loop gets to write them. */
const atOnce = 500;

const app = uWS.App().ws<SocketData>('/ws', {
  idleTimeout: 60,
  sendPingsAutomatically: true,
  maxBackpressure: 4 * 1024 * 1024,
  upgrade: (res, req, context) =>
    res.upgrade<SocketData>(
      { userId: req.getQuery('user') ?? '' },
      req.getHeader('sec-websocket-key'),
      '',
      '',
      context,
    ),
  open(socket) {
    socket.subscribe(socket.getUserData().userId);
    socket.send(JSON.stringify({ type: 'hello', seq: 0 }));
  },
});

let prepared: { userId: string; text: string }[] = [];

serveHelper({
  listen: () =>
    new Promise((resolve) => {
      app.listen('127.0.0.1', 0, (socket) =>
        resolve(uWS.us_socket_local_port(socket as unknown as uWS.us_socket)),
      );
    }),
  async prepare({ people, each }: { people: { userId: string; seq: number }[]; each: number }) {
    prepared = [...framesFor(people, each)];
  },
  async publish() {
    for (let from = 0; from < prepared.length; from += atOnce) {
      for (const { userId, text } of prepared.slice(from, from + atOnce)) app.publish(userId, text);
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
});
