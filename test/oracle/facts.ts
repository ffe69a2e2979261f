import { differencesOf } from './difference.ts';
import type { Fact, Ready } from './fact.ts';
import { whatHappened } from './happened.ts';
import { type Call, isAccepted, type Played } from './history.ts';
import type { Recorded } from './log.ts';
import { thingOf } from './plan.ts';
import { factOf } from './said.ts';
import { outOfSequence } from './sequence.ts';

export interface Told {
  facts: Fact[];
  /** Where answers and log contradict each other, each in a line. */
  findings: string[];
}

interface Join extends Told {
  played: Played;
  byTrace: Map<string, Recorded[]>;
  /** The event of each request, by its Idempotency-Key. */
  events: Map<string, Recorded>;
  explained: Set<Recorded>;
  /** Posts that are deleted and uploads that are complete. */
  finished: Set<string>;
}

/** What was accepted, in the times and ids that the log has for it. */
export function factsOf(played: Played, records: readonly Recorded[]): Told {
  const byTrace = Map.groupBy(records, (record) => record.traceId);
  const rest = { events: new Map(), explained: new Set<Recorded>(), finished: new Set<string>() };
  const join: Join = { played, byTrace, facts: [], findings: [], ...rest };
  const inOrder = played.calls.toSorted((a, b) => a.sent - b.sent);
  const asked = inOrder.filter(({ key, act }) => key !== null && act.do !== 'spoil');
  for (const calls of Map.groupBy(asked, ({ key }) => key).values()) takeRequest(join, calls);
  const ours = new Set([...played.people.values()].map(({ id }) => id));
  const strange = records.filter(
    (record) =>
      ours.has(record.key) &&
      !join.explained.has(record) &&
      !(record.type === 'UserErased' && played.gone.has(record.key)),
  );
  join.findings.push(...strange.map(({ type, id }) => `the log has ${type} ${id}, which nobody was told of`));
  join.findings.push(...outOfSequence(inOrder, join.events, whatHappened(played)));
  return join;
}

/** Calls under one key, in their order: together they are one event, or none. */
function takeRequest(join: Join, calls: readonly Call[]): void {
  const [call] = calls as [Call, ...Call[]];
  const done = calls.find(isAccepted);
  const records = calls.flatMap(({ traceId }) => join.byTrace.get(traceId) ?? []);
  const own = records.filter(({ type }) => !outcomes.includes(type));
  const ids = new Set(own.map(({ id }) => id));
  const adds = done && addsSomething(join, call);
  // Whoever follows by now is not let in once more.
  const expected = adds ? (call.act.do === 'approve' ? Math.min(ids.size, 1) : 1) : 0;
  if (ids.size !== expected)
    join.findings.push(
      `step ${call.id} (${call.act.do}) was answered ${(done ?? call).status}: it should have ${expected} events in the log, and has ${ids.size}`,
    );
  // Written twice it is one event, as it was said first.
  const [record] = own.toSorted((a, b) => a.order - b.order);
  if (!done || !record || expected === 0) return;
  for (const one of own) join.explained.add(one);
  join.events.set(call.key!, record);
  const { fact, fields } = factOf(join.played, call, done.body, record);
  join.findings.push(...differencesOf(fields, alike(record.fields, fields), `step ${call.id} in the log`));
  join.facts.push({ at: record.at, id: record.id, ...fact });
  if (call.act.do === 'complete') takeOutcome(join, call, records);
}

/** A post that is deleted, and an upload that is complete, need no second event to be so. */
function addsSomething({ finished }: Join, { act }: Call): boolean {
  const thing = act.do === 'delete' ? act.post : act.do === 'complete' ? act.media : null;
  if (thing === null) return true;
  const isNew = !finished.has(thing);
  finished.add(thing);
  return isNew;
}

const outcomes = ['MediaReady', 'MediaRejected'];

/** What the pipeline made of it: how the pictures look is its own business, whether there are any is not. */
function takeOutcome(
  { played, facts, findings, explained }: Join,
  call: Call,
  records: readonly Recorded[],
): void {
  const found = records.filter(({ type }) => outcomes.includes(type));
  for (const record of found) explained.add(record);
  const right = expectedOutcome(played, call);
  const said = [...new Map(found.map((record) => [record.id, [record.type, record.fields.code]])).values()];
  findings.push(...differencesOf([right], said, `outcomes of step ${call.id}`));
  const [record] = found;
  if (!record) return;
  const { fields, at, id } = record;
  const media = { media: fields.mediaId as string, owner: record.key };
  if (record.type === 'MediaReady')
    facts.push({ at, id, what: 'ready', ...media, ...(fields as unknown as Ready) });
  else facts.push({ at, id, what: 'rejected', ...media, reason: fields.code as string });
}

function expectedOutcome({ calls }: Played, { act }: Call): [string, string | undefined] {
  const asked = calls.find((call) => act.do === 'complete' && thingOf(call.step) === act.media)!;
  const isPhoto = asked.act.do === 'request' && asked.act.content === 'photo';
  return isPhoto ? ['MediaReady', undefined] : ['MediaRejected', 'media_not_an_image'];
}

function alike(fields: Record<string, unknown>, like: object): object {
  return Object.fromEntries(Object.keys(like).map((name) => [name, fields[name]]));
}
