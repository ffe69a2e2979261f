/**
 * A history as data: who there is, and what each of them does, in order. It says nothing of what came of it, so a part
 * of it can be left out and the rest played again (shrink.ts).
 */

/** `p3` is one of the cast, `x17` is what step 17 makes (a post, a media, a newcomer), `nobody` exists nowhere. */
export type Name = string;

export const nobody: Name = 'nobody';

/** Stands in texts for the tag of a playing, so that each playing has people of its own: names begin with it. */
export const tagMark = '~';

export interface Newcomer {
  do: 'register';
  username: string;
  email: string;
  fullName: string;
  dateOfBirth: string;
  gender: string | null;
}

export interface Publish {
  do: 'publish';
  media: Name[];
  caption: string;
  location: string | null;
  isReel: boolean;
  hideCounts: boolean;
  commentsOff: boolean;
}

export interface Edit {
  do: 'edit';
  fullName: string;
  bio: string;
  website: string | null;
  gender: string | null;
  avatar: Name | null;
  /** As it was when left out. */
  isPrivate?: boolean;
}

export interface RequestUpload {
  do: 'request';
  contentType: string;
  /** What is PUT to the address: a photograph becomes ready, text is rejected, nothing can't be completed. */
  content: 'photo' | 'text' | 'nothing';
  /** Bytes announced; those of the content unless said. */
  size?: number;
}

/** With `seenBy` the position of that person's writes is sent instead of one's own: one has been told by them. */
export type OnPost = { do: 'like' | 'unlike' | 'delete'; post: Name; seenBy?: Name };
export type OnPerson = {
  do: 'follow' | 'unfollow' | 'approve' | 'decline' | 'remove' | 'block' | 'unblock';
  whom: Name;
  seenBy?: Name;
};

/** What changes something, or is refused; each is one request under an Idempotency-Key of its own. */
export type Command =
  | OnPost
  | OnPerson
  | Publish
  | Edit
  | RequestUpload
  | Newcomer
  | { do: 'complete'; media: Name };

/** Reads of what somebody has just done, and a login, which tells the account. */
export type Look =
  | { do: 'look-me' }
  | { do: 'look-feed' }
  | { do: 'look-post'; post: Name }
  | { do: 'look-user'; whom: Name }
  | { do: 'login' };

/** An old request again: the same one, or another one under its Idempotency-Key. */
export type Again = { do: 'repeat'; step: number } | { do: 'spoil'; step: number };

/** Several at once by one person; with `oneKey` it is one request, sent as often. */
export interface Storm {
  do: 'storm';
  oneKey: boolean;
  acts: Command[];
}

export type Act = Command | Look | Again;

export interface Step {
  id: number;
  actor: Name;
  /** Done, and applied everywhere, before the others begin. */
  early: boolean;
  act: Act | Storm;
}

export interface Plan {
  seed: string;
  cast: { name: Name; account: Newcomer }[];
  steps: Step[];
}

export function thingOf(step: number): Name {
  return `x${step}`;
}

/** The step that makes a thing; null for the cast. */
export function stepOf(name: Name): number | null {
  return name.startsWith('x') ? Number(name.slice(1)) : null;
}

/** Everybody and everything an act is about, besides who acts. */
export function namesIn(act: Act | Storm): Name[] {
  if (act.do === 'storm') return act.acts.flatMap(namesIn);
  const names: (Name | null | undefined)[] = [];
  if ('post' in act) names.push(act.post);
  if ('whom' in act) names.push(act.whom);
  if ('seenBy' in act) names.push(act.seenBy);
  if ('avatar' in act) names.push(act.avatar);
  if ('media' in act) names.push(...[act.media].flat());
  return names.filter((name) => typeof name === 'string' && name !== nobody) as Name[];
}

/** The same without what can't be done any more: steps of people or about things that are not in it. */
export function withoutLooseEnds(plan: Plan): Plan {
  const known = new Set(plan.cast.map(({ name }) => name));
  const steps: Step[] = [];
  for (const step of plan.steps) {
    const about = step.act.do === 'repeat' || step.act.do === 'spoil' ? [thingOf(step.act.step)] : [];
    if (![step.actor, ...about, ...namesIn(step.act)].every((name) => known.has(name))) continue;
    steps.push(step);
    known.add(thingOf(step.id));
  }
  const needed = new Set(steps.flatMap((step) => [step.actor, ...namesIn(step.act)]));
  return { ...plan, steps, cast: plan.cast.filter(({ name }) => needed.has(name)) };
}

/** One line a step, for people. */
export function describePlan(plan: Plan): string {
  const lines = plan.steps.map(
    (step) => `${step.early ? 'first ' : ''}${step.id} ${step.actor}: ${said(step.act)}`,
  );
  return [plan.cast.map(({ name }) => name).join(' '), ...lines].join('\n');
}

function said(act: Act | Storm): string {
  if (act.do === 'storm')
    return `${act.oneKey ? 'under one key' : 'at once'} [${act.acts.map(said).join('; ')}]`;
  const { do: what, ...rest } = act;
  return `${what} ${Object.values(rest)
    .map((value) => JSON.stringify(value))
    .join(' ')}`.trim();
}
