/** A frame of somebody's live stream. */
export interface HeardFrame {
  seq: number;
  type: string;
  data: Record<string, unknown>;
}

export interface Listening {
  /** Resolves with the first frame that fits, heard already or to come; rejects after the limit. */
  hear(fits: (frame: HeardFrame) => boolean, limitMs: number): Promise<HeardFrame>;
  close(): void;
}

/** Opens somebody's socket from the beginning of their stream, so that what was sent before is heard again. */
export function listen(publicUrl: string, token: string): Listening {
  const url = new URL('/ws?cursor=0', publicUrl);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, ['emulsion', `bearer.${token}`]);
  const heard: HeardFrame[] = [];
  const waiting = new Set<(frame: HeardFrame) => void>();
  let ended: string | null = null;
  socket.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(String(data)) as HeardFrame;
    heard.push(frame);
    for (const look of waiting) look(frame);
  });
  socket.addEventListener('error', () => {
    ended = 'it could not be opened';
  });
  socket.addEventListener('close', ({ code, reason }) => {
    ended ??= `it was closed with ${code} ${reason}`;
  });
  return {
    hear(fits, limitMs) {
      const known = heard.find(fits);
      if (known) return Promise.resolve(known);
      return new Promise((resolve, reject) => {
        const look = (frame: HeardFrame): void => {
          if (fits(frame)) done(() => resolve(frame));
        };
        const timer = setTimeout(() => {
          const why = ended ?? `it heard ${heard.map((frame) => frame.type).join(', ') || 'nothing'}`;
          done(() => reject(new Error(`The socket did not receive the frame within ${limitMs} ms: ${why}.`)));
        }, limitMs);
        const done = (then: () => void): void => {
          clearTimeout(timer);
          waiting.delete(look);
          then();
        };
        waiting.add(look);
      });
    },
    close: () => socket.close(),
  };
}
