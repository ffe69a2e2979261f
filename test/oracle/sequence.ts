import type { Happened } from './happened.ts';
import { type Call, isAccepted, toldBy } from './history.ts';
import type { Recorded } from './log.ts';

/**
 * What one person does later is later in the log, whoever's clock it was (DESIGN §3), and a follow that is said again
 * keeps the time of the first. Both only where the client sent the position of what came before.
 */
export function outOfSequence(
  inOrder: readonly Call[],
  events: ReadonlyMap<string, Recorded>,
  happened: Happened,
): string[] {
  const originals = inOrder.filter(({ act }) => act.do !== 'repeat' && act.do !== 'spoil');
  const said = originals.flatMap((call) => {
    const record = isAccepted(call) && call.act.do !== 'register' && events.get(call.key ?? '');
    return record ? [{ call, record }] : [];
  });
  return [...Map.groupBy(said, ({ call }) => call.actor).values()].flatMap((own) => [
    ...backInTime(own),
    ...[...Map.groupBy(own, whomOf).entries()].flatMap(([whom, pair]) =>
      whom ? movedFollows(pair, happened) : [],
    ),
  ]);
}

interface Event {
  call: Call;
  record: Recorded;
}

/** The next one of this person is sent with a position that has it. */
function isKept({ call }: Event): boolean {
  return !call.inStorm && toldBy(call) === null;
}

function backInTime(own: readonly Event[]): string[] {
  const findings: string[] = [];
  let newest = 0;
  for (const event of own) {
    const { call, record } = event;
    if (toldBy(call) === null && record.at <= newest && !isOfOneKey(own, event))
      findings.push(
        `step ${call.id} has event time ${record.at}, which is not after ${newest}, which its client had seen`,
      );
    if (isKept(event)) newest = Math.max(newest, record.at);
  }
  return findings;
}

/** The same request several times at once: one event. */
function isOfOneKey(own: readonly Event[], event: Event): boolean {
  return own.find(({ record }) => record.id === event.record.id) !== event;
}

function whomOf({ call: { act } }: Event): string | null {
  return act.do === 'follow' || act.do === 'unfollow' ? act.whom : null;
}

function movedFollows(pair: readonly Event[], happened: Happened): string[] {
  const findings: string[] = [];
  let since: number | null = null;
  let sure = true;
  for (const event of pair) {
    const { call, record } = event;
    const follows = call.act.do === 'follow';
    if (happened.isUnsure(call, whomOf(event)!)) return findings;
    const said: number | null = follows ? Number(record.fields.followedAt) : null;
    const right: number | null = follows ? (since ?? record.at) : null;
    if (sure && isKept(event) && !isOfOneKey(pair, event) && said !== right)
      findings.push(`step ${call.id} follows since ${said} instead of ${right}`);
    since = said;
    sure = isKept(event);
  }
  return findings;
}
