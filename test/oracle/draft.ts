import type { Random } from '../../tools/load/random.ts';
import { type Act, type Name, type Newcomer, type Step, type Storm, tagMark, thingOf } from './plan.ts';

/** What the generator remembers of what it has planned. It is not told what will come of it. */
export interface Draft {
  random: Random;
  people: Name[];
  newcomers: Name[];
  posts: { name: Name; author: Name }[];
  /** Everybody's photograph that is ready before all; `uploads` has whatever else was asked for, too. */
  photos: Map<Name, Name>;
  uploads: { name: Name; owner: Name }[];
  /** Who has asked to follow whom, and who has blocked whom. */
  asked: { who: Name; whom: Name }[];
  blocked: { who: Name; whom: Name }[];
  steps: Step[];
}

/** Names that begin alike, in several cases and scripts: people are found by their beginning. */
export const fullNames = [
  `${tagMark} Ann`,
  `É${tagMark} Öz`,
  `${tagMark} ann`,
  `é${tagMark} øy`,
  `Ж${tagMark} Яна`,
];

/** A step more; its thing, if it makes one, has this name. */
export function add(draft: Draft, actor: Name, act: Act | Storm, early: boolean): Name {
  const id = draft.steps.length;
  const name = thingOf(id);
  draft.steps.push({ id, actor, early, act });
  const made = act.do === 'storm' && act.oneKey ? act.acts[0]! : act;
  if (made.do === 'publish') draft.posts.push({ name, author: actor });
  if (made.do === 'request') draft.uploads.push({ name, owner: actor });
  if (made.do === 'follow' && made.whom !== actor) draft.asked.push({ who: actor, whom: made.whom });
  if (made.do === 'block') draft.blocked.push({ who: actor, whom: made.whom });
  if (made.do === 'register') draft.newcomers.push(name);
  return name;
}

/** Somebody whose names end so. */
export function account(suffix: string, fullName: string): Newcomer {
  const username = `${tagMark}${suffix}`;
  return {
    do: 'register',
    username,
    email: `${username}@example.org`,
    fullName,
    dateOfBirth: '1990-05-17',
    gender: suffix.length % 2 === 0 ? null : 'female',
  };
}

export function oneOf<T>(draft: Draft, items: readonly T[]): T {
  return items[draft.random.below(items.length)]!;
}

/** Later ones more often: what is new is what everybody is about. */
export function recent<T>(draft: Draft, items: readonly T[]): T {
  return items[Math.floor(items.length * Math.sqrt(draft.random.unit()))]!;
}
