import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  registry: Registry;
  counter(name: string, help: string, labels?: string[]): Counter;
  /** A counter by one label for what happens tens of thousands of times a second: added up when it is asked for. */
  tally(name: string, help: string, label: string): (value: string) => void;
  gauge(name: string, help: string, labels?: string[]): Gauge;
  histogram(name: string, help: string, labels?: string[], buckets?: number[]): Histogram;
}

/** One registry a process (no global one, so that a test can run many services in one process). */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    counter: (name, help, labelNames = []) => new Counter({ name, help, labelNames, registers }),
    tally(name, help, label) {
      const since = new Map<string, number>();
      new Counter({
        ...{ name, help, labelNames: [label], registers },
        collect() {
          for (const [value, count] of since) this.inc({ [label]: value }, count);
          since.clear();
        },
      });
      return (value) => since.set(value, (since.get(value) ?? 0) + 1);
    },
    gauge: (name, help, labelNames = []) => new Gauge({ name, help, labelNames, registers }),
    histogram: (name, help, labelNames = [], buckets = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]) =>
      new Histogram({ name, help, labelNames, buckets, registers }),
  };
}
