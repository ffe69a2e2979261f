import type { Metrics } from './metrics.ts';

/** What a process knows of one consumer, for Prometheus. */
export interface ConsumerFigures {
  consumer: string;
  /** starting, running, stalled, retrying, stopped or paused */
  state: string;
  /** null: nothing is known yet. */
  lagSeconds: number | null;
  partitions: readonly { topic: string; partition: number; lagEvents: number | null }[];
}

export interface ProjectionMetrics {
  /** Replaces all that was shown: a partition that another process took over is shown there. */
  show(figures: readonly ConsumerFigures[]): void;
}

const states = ['starting', 'running', 'stalled', 'retrying', 'stopped', 'paused'];

export function createProjectionMetrics(metrics: Metrics): ProjectionMetrics {
  const events = metrics.gauge('projection_lag_events', 'Records of the log not applied yet', [
    'consumer',
    'topic',
    'partition',
  ]);
  const seconds = metrics.gauge('projection_lag_seconds', 'Age of the newest moment that is wholly applied', [
    'consumer',
  ]);
  const state = metrics.gauge('projection_state', '1 for the state that the consumer is in', [
    'consumer',
    'state',
  ]);
  return {
    show(figures) {
      for (const gauge of [events, seconds, state]) gauge.reset();
      for (const { consumer, lagSeconds, partitions, ...now } of figures) {
        if (lagSeconds !== null) seconds.set({ consumer }, lagSeconds);
        for (const name of states) state.set({ consumer, state: name }, name === now.state ? 1 : 0);
        for (const { topic, partition, lagEvents } of partitions)
          if (lagEvents !== null) events.set({ consumer, topic, partition }, lagEvents);
      }
    },
  };
}

/** A build under way. */
export interface RebuildFigures {
  model: string;
  version: number;
  perSecond: number;
  etaSeconds: number | null;
  errors: number;
  partitions: readonly {
    topic: string;
    partition: number;
    position: bigint;
    target: bigint;
    bytes: number;
  }[];
}

export interface RebuildMetrics {
  show(builds: readonly RebuildFigures[]): void;
}

export function createRebuildMetrics(metrics: Metrics): RebuildMetrics {
  const build = ['model', 'version'];
  const part = [...build, 'topic', 'partition'];
  const position = metrics.gauge('rebuild_position', 'The next offset that a build will read', part);
  const target = metrics.gauge('rebuild_target', 'The offset up to which a build is filled', part);
  const bytes = metrics.gauge('rebuild_bytes', 'Bytes of the log that a build has read', part);
  const rate = metrics.gauge('rebuild_events_per_second', 'Records that a build takes a second', build);
  const eta = metrics.gauge(
    'rebuild_eta_seconds',
    'Seconds until a build is filled, as far as is known',
    build,
  );
  const errors = metrics.gauge('rebuild_errors', 'Records that a build could not take', build);
  const all = [position, target, bytes, rate, eta, errors];
  return {
    show(builds) {
      for (const gauge of all) gauge.reset();
      for (const { model, version, ...figures } of builds) {
        rate.set({ model, version }, figures.perSecond);
        errors.set({ model, version }, figures.errors);
        if (figures.etaSeconds !== null) eta.set({ model, version }, figures.etaSeconds);
        for (const { topic, partition, ...at } of figures.partitions) {
          const labels = { model, version, topic, partition };
          position.set(labels, Number(at.position));
          target.set(labels, Number(at.target));
          bytes.set(labels, at.bytes);
        }
      }
    },
  };
}
