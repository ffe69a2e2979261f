import type { MemberReport } from '../postgres/members.ts';
import type { ConsumerFigures } from '../telemetry/projections.ts';
import type { RunningConsumer } from './consumer.ts';
import { type ConsumerLag, type LagTracker, recordsBehind, secondsBehind } from './lag.ts';

export interface WatchedConsumer extends Pick<RunningConsumer, 'state' | 'held'> {
  consumer: string;
}

/** Newest event time applied by consumer and `topic/partition`, milliseconds. */
export type EventTimes = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Older than this is told by /readyz; never a reason to restart anything. */
const behindSeconds = 15;

/** What a process says of one consumer. One that says it runs and gets nowhere says where. */
export function memberReport({ consumer, state, held }: WatchedConsumer, tracker: LagTracker): MemberReport {
  const lag = tracker.of(consumer);
  const now = state();
  const known = new Map(lag?.partitions.map((part) => [`${part.topic}/${part.partition}`, part.fresh]));
  const ids = held().map(({ topic, partition }) => `${topic}/${partition}`);
  return {
    consumer,
    state: now.state,
    reason: (now.state === 'running' ? whyStalled(lag) : null) ?? now.reason,
    perSecond: lag?.perSecond ?? 0,
    fresh: Object.fromEntries(ids.map((id) => [id, known.get(id) ?? 0])),
  };
}

function whyStalled(lag: ConsumerLag | undefined): string | null {
  if (!lag?.stalled) return null;
  const { topic, partition, seconds } = lag.stalled;
  return `stalled: no progress on ${topic}/${partition} for ${Math.round(seconds)} s`;
}

/** The same for Prometheus. */
export function figuresOf(report: MemberReport, tracker: LagTracker, times: EventTimes): ConsumerFigures {
  const { consumer, state, reason } = report;
  return {
    consumer,
    state: state === 'running' && reason !== null ? 'stalled' : state,
    lagSeconds: lagSeconds(consumer, tracker, times),
    partitions: (tracker.of(consumer)?.partitions ?? []).map((part) => ({
      topic: part.topic,
      partition: part.partition,
      lagEvents: recordsBehind(part),
    })),
  };
}

/** What keeps a consumer from being well, in words; null when nothing does. */
export function troubleOf(consumer: WatchedConsumer, tracker: LagTracker, times: EventTimes): string | null {
  const { state, reason } = memberReport(consumer, tracker);
  if (state !== 'running') return reason ? `${state}: ${reason}` : state;
  const seconds = lagSeconds(consumer.consumer, tracker, times) ?? 0;
  return reason ?? (seconds > behindSeconds ? `behind by ${Math.round(seconds)} s` : null);
}

/** Of the partition that is furthest behind; null when nothing is known of any. */
function lagSeconds(consumer: string, tracker: LagTracker, times: EventTimes): number | null {
  const known = (tracker.of(consumer)?.partitions ?? []).flatMap((part) => {
    const eventTime = times.get(consumer)?.get(`${part.topic}/${part.partition}`) ?? null;
    return secondsBehind({ ...part, eventTime }, Date.now()) ?? [];
  });
  return known.length > 0 ? Math.max(...known) : null;
}
