/**
 * The oracle: what the product must answer after a random history of several people at once, said once more by code
 * that shares nothing with it. A test does:
 *
 *     const history = createHistory(seed, { people: 8, steps: 1_500 });
 *     const playing = play(world, history, { onStep: (done) => … });   // kill, restart, rebuild meanwhile
 *     await playing;
 *     await world.drained();
 *     await compareWithOracle(world, history);    // throws with every difference and how to repeat it
 *     await remakeEverything(world);              // and compare again
 *
 * - plan.ts: a history as data; generate.ts makes one from a seed, shrink.ts makes a failing one small.
 * - play.ts: does it through the public API. Each person takes steps one after the other, beside everybody else. A
 *   command whose outcome is unknown (no connection, 503) is repeated under its Idempotency-Key until it is known.
 * - answers.ts: what each of the answers may have been; where concurrency leaves one, that one.
 * - facts.ts: what was accepted, with the event times and ids of the log, which is where order comes from: the API
 *   tells the time of a post alone. Holds the log to the answers on the way: one event for each accepted command, none
 *   for what was refused or repeated.
 * - oracle.ts: the facts folded, and what each read must answer then; frames.ts the same for the live stream.
 * - gone.ts: an account is erased when all is played; then its facts are none.
 * - questions.ts, compare.ts: asks every read of schemas/routes.ts, for nobody and for several viewers.
 */
import type { Person } from '../harness/client.ts';
import { createPlan, type PlanSize } from './generate.ts';
import type { Act, Name, Plan } from './plan.ts';

export interface History {
  plan: Plan;
  /** What happened, once it is played. */
  played: Played | null;
}

export interface Played {
  /** Begins the names of this playing's people. */
  tag: string;
  people: Map<Name, Person>;
  /** Ids of people, posts and media. */
  ids: Map<Name, string>;
  calls: Call[];
  /** Ids of those whose accounts were erased when all was played. */
  gone: Set<string>;
}

/** One request and its answer. A step about something that never came to be makes none. */
export interface Call {
  /** The step's number; in a storm with one of its own behind a point. A person's name: their registration. */
  id: string;
  step: number;
  actor: Name;
  act: Act;
  early: boolean;
  /** One of a storm: others of the same person were under way. */
  inStorm: boolean;
  request: Request;
  key: string | null;
  traceId: string;
  /** How often it was sent: after a second time the answer may be one to what the first has done already. */
  times: number;
  /** Moments of this playing, counted: what is sent after another was answered has a greater one. */
  sent: number;
  answered: number;
  status: number;
  // Answers of many shapes are looked into.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  body: any;
}

export interface Request {
  method: string;
  path: string;
  body?: unknown;
}

/** A history from a seed, not played yet. */
export function createHistory(seed: string, size: PlanSize): History {
  return historyOf(createPlan(seed, size));
}

export function historyOf(plan: Plan): History {
  return { plan, played: null };
}

export function playedOf({ played }: History): Played {
  if (!played) throw new Error('The history was not played.');
  return played;
}

export function isAccepted({ status }: { status: number }): boolean {
  return status >= 200 && status < 300;
}

/** Somebody else, whose position was sent with the call: they had told of what they did. */
export function toldBy({ actor, act }: Pick<Call, 'actor' | 'act'>): Name | null {
  const teller = 'seenBy' in act ? act.seenBy : undefined;
  return teller && teller !== actor ? teller : null;
}
