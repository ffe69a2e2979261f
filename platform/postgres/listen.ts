import pg from 'pg';

export interface Listener {
  close(): Promise<void>;
}

export interface ListenOptions {
  name: string;
  channels: Record<string, (payload: string) => void>;
  /** After every (re)connect: whatever was missed must be read again. */
  connected(): void;
}

/** A connection that listens, for as long as the process lives: it comes back by itself, with growing pauses. */
export function listen(url: string, options: ListenOptions): Listener {
  let client: pg.Client | null = null;
  let closed = false;
  let pause = 100;

  const again = (): void => {
    client = null;
    if (closed) return;
    setTimeout(connect, pause).unref();
    pause = Math.min(pause * 2, 5_000);
  };
  const connect = async (): Promise<void> => {
    if (closed) return;
    const next = new pg.Client({ connectionString: url, application_name: options.name, keepAlive: true });
    let lost = false;
    next.on('error', () => {});
    next.on('end', () => {
      if (!lost) again();
      lost = true;
    });
    next.on('notification', (message) => options.channels[message.channel]?.(message.payload ?? ''));
    try {
      await next.connect();
      for (const channel of Object.keys(options.channels)) await next.query(`LISTEN ${channel}`);
      client = next;
      pause = 100;
      options.connected();
    } catch {
      if (!lost) again();
      lost = true;
      await next.end().catch(() => {});
    }
  };
  void connect();
  return {
    async close() {
      closed = true;
      await client?.end().catch(() => {});
    },
  };
}
