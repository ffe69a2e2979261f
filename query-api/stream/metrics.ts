import type { Metrics } from '../../platform/telemetry/metrics.ts';

export type StreamMetrics = ReturnType<typeof streamMetrics>;

/** What a stream node counts. */
export function streamMetrics(metrics: Metrics) {
  return {
    registry: metrics.registry,
    streams: metrics.gauge('stream_sockets', 'Streams open now', ['transport']),
    users: metrics.gauge('stream_users', 'Users with a stream open on this node'),
    redisUp: metrics.gauge('stream_redis_up', '1 while frames come by Redis, 0 while the sweep alone serves'),
    sent: metrics.tally('stream_frames_sent_total', 'Frames sent to readers', 'type'),
    pages: metrics.counter('stream_backfills_total', 'Pages of history read', ['source']),
    hidden: metrics.counter(
      'stream_frames_hidden_total',
      'Frames of history that their reader may no longer see',
    ),
    behind: metrics.counter('stream_sweep_found_total', 'Users whom a sweep found behind their head'),
    unreadable: metrics.counter('stream_frames_unreadable_total', 'Published messages that were no frame'),
    ended: metrics.counter('stream_ended_total', 'Streams ended by this node', ['code']),
  };
}
