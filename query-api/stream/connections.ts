import { tick } from './conduct.ts';
import type { StreamMetrics } from './metrics.ts';
import { type Connections, end, type Reader } from './reader.ts';

export interface ConnectionLimits {
  maxStreams: number;
  maxPerUser: number;
}

export function createConnections(limits: ConnectionLimits, metrics: StreamMetrics): Connections {
  const readers = new Set<Reader>();
  const perUser = new Map<string, number>();
  const clock = setInterval(() => {
    const now = Date.now();
    for (const reader of readers) tick(reader, now);
  }, 1_000);

  return {
    hasRoom: () => readers.size < limits.maxStreams,
    opened(reader) {
      readers.add(reader);
      metrics.streams.inc({ transport: reader.outlet.transport });
    },
    claim(userId) {
      const open = perUser.get(userId) ?? 0;
      if (open >= limits.maxPerUser) return false;
      perUser.set(userId, open + 1);
      return true;
    },
    closed(reader, userId) {
      if (!readers.delete(reader)) return;
      metrics.streams.dec({ transport: reader.outlet.transport });
      if (userId === null) return;
      const open = (perUser.get(userId) ?? 1) - 1;
      if (open > 0) perUser.set(userId, open);
      else perUser.delete(userId);
    },
    count: () => readers.size,
    endAll() {
      for (const reader of [...readers]) end(reader, 'server_restarting', 'Connect again with your cursor');
    },
    close: () => clearInterval(clock),
  };
}
