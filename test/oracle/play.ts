import { randomBytes } from 'node:crypto';
import { type Client, createClient, samplePhoto } from '../harness/client.ts';
import type { Place } from '../harness/world.ts';
import { type History, isAccepted } from './history.ts';
import { type Name, namesIn, type Plan, type Step, stepOf } from './plan.ts';
import { keyOf, type Sender, send } from './send.ts';

export interface PlayOptions {
  /** After each step, how many are done of those that run at once; a crash test kills somebody here. */
  onStep?(done: number): void;
  /** Milliseconds for which one call is repeated while nobody knows its answer. */
  patienceMs?: number;
  /** Through which all is sent; one of its own unless said. */
  api?: Client;
}

interface Stage extends Sender {
  /** Of each step: resolves when it is done. */
  done: Map<number, PromiseWithResolvers<void>>;
  /** What ended the playing for all. */
  broken: Error | null;
}

/**
 * Does what the plan says and writes down what came of it. First everybody registers and does the early steps; when
 * that is applied everywhere, all take their steps one after the other, each beside everybody else. A step about what
 * another makes waits for that.
 */
export async function play(world: Place, history: History, options: PlayOptions = {}): Promise<void> {
  if (history.played) throw new Error('A history is played once: make another one of its plan (historyOf).');
  const { plan } = history;
  const stage = await openStage(world, plan, options);
  history.played = stage.played;
  await Promise.all(plan.cast.map((member) => appear(stage, member)));
  await world.drained(stage.patienceMs);
  const { true: early = [], false: rest = [] } = Object.groupBy(plan.steps, (step) => `${step.early}`);
  await everybody(stage, early, () => {});
  await world.drained(stage.patienceMs);
  await everybody(stage, rest, options.onStep ?? (() => {}));
}

async function openStage(world: Place, plan: Plan, options: PlayOptions): Promise<Stage> {
  let clock = 0;
  return {
    api: options.api ?? createClient(world.services),
    played: {
      tag: `o${randomBytes(4).toString('hex')}`,
      people: new Map(),
      ids: new Map(),
      calls: [],
      gone: new Set(),
    },
    bytes: {
      photo: await samplePhoto(),
      text: Buffer.from('This is no photograph.'),
      nothing: Buffer.alloc(9),
    },
    patienceMs: options.patienceMs ?? 120_000,
    done: new Map(plan.steps.map(({ id }) => [id, Promise.withResolvers<void>()])),
    now: () => (clock += 1),
    broken: null,
  };
}

async function appear(stage: Stage, { name, account }: Plan['cast'][number]): Promise<void> {
  const asked = { id: name, step: -1, actor: name, act: account, early: true, inStorm: false };
  const call = await send(stage, asked);
  if (!call || !isAccepted(call)) throw new Error(`${name} can't register: ${JSON.stringify(call?.body)}`);
}

async function everybody(
  stage: Stage,
  steps: readonly Step[],
  onStep: (done: number) => void,
): Promise<void> {
  let done = 0;
  const act = async (own: readonly Step[]): Promise<void> => {
    for (const step of own) {
      await Promise.all(waitedFor(step).map((id) => stage.done.get(id)!.promise));
      if (stage.broken) return;
      await take(stage, step);
      stage.done.get(step.id)!.resolve();
      done += 1;
      onStep(done);
    }
  };
  const end = (error: Error): void => {
    stage.broken ??= error;
    for (const { resolve } of stage.done.values()) resolve();
  };
  const byActor = Map.groupBy(steps, (step) => step.actor);
  await Promise.all([...byActor.values()].map((own) => act(own).catch(end)));
  if (stage.broken) throw stage.broken;
}

/** Only earlier ones, so nobody waits in a circle. */
function waitedFor({ act }: Step): number[] {
  return namesIn(act)
    .map(stepOf)
    .filter((id) => id !== null);
}

async function take(stage: Stage, { id, actor, early, act }: Step): Promise<void> {
  if (!namesIn(act).every((name) => isThere(stage, name))) return;
  const common = { step: id, actor, early };
  if (act.do !== 'storm') {
    await send(stage, { ...common, id: `${id}`, act, inStorm: false });
    return;
  }
  const key = act.oneKey ? keyOf(stage, `${id}`) : undefined;
  const inStorm = !act.oneKey && act.acts.length > 1;
  const calls = act.acts.map((one, n) => ({ ...common, id: `${id}.${n}`, act: one, inStorm, key }));
  await Promise.all(calls.map((call) => send(stage, call)));
}

function isThere({ played }: Stage, name: Name): boolean {
  return played.ids.has(name);
}
