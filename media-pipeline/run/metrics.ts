import type { Metrics } from '../../platform/telemetry/metrics.ts';

export interface MediaMetrics {
  /** Code is ready, or why it was rejected. */
  outcome(code: string, seconds: number): void;
  parked(): void;
}

export function createMediaMetrics(metrics: Metrics): MediaMetrics {
  const latency = metrics.histogram('worker_latency_seconds', 'From the start of an upload to its outcome.', [
    'worker',
  ]);
  const outcomes = metrics.counter('media_outcomes_total', 'Uploads by what became of them.', ['code']);
  const parked = metrics.counter('media_parked_total', 'Uploads that an operator has to look at.');
  return {
    outcome(code, seconds) {
      latency.observe({ worker: 'media' }, seconds);
      outcomes.inc({ code });
    },
    parked: () => parked.inc(),
  };
}
