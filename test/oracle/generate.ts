import { createRandom } from '../../tools/load/random.ts';
import { account, add, type Draft, fullNames, oneOf } from './draft.ts';
import type { Name, Plan } from './plan.ts';
import { drawn, publish } from './turns.ts';

export interface PlanSize {
  /** Two at least. */
  people: number;
  /** Steps that run at once; a few early ones come before them. */
  steps: number;
}

/** Posts of the first of the cast before all begins: a new follower gets the 20 newest of them. */
const postsOfTheStar = 23;

/** A random history, the same for the same seed and size. */
export function createPlan(seed: string, size: PlanSize): Plan {
  const random = createRandom(`oracle ${seed}`);
  const people = Array.from({ length: size.people }, (_, index) => `p${index}`);
  const draft: Draft = {
    random,
    people,
    newcomers: [],
    posts: [],
    photos: new Map(),
    uploads: [],
    asked: [],
    blocked: [],
    steps: [],
  };
  for (const person of people) open(draft, person);
  const planned = draft.steps.length + size.steps;
  while (draft.steps.length < planned) {
    const actor = oneOf(draft, people);
    const act = oneOf(draft, drawn)(draft, actor);
    if (act) add(draft, actor, act, false);
  }
  const cast = people.map((name, index) => ({ name, account: account(`_${name}`, fullNames[index % 5]!) }));
  return { seed, cast, steps: draft.steps };
}

/** Everybody has a photograph and a post, and follows somebody. */
function open(draft: Draft, person: Name): void {
  const photo = add(draft, person, { do: 'request', contentType: 'image/jpeg', content: 'photo' }, true);
  add(draft, person, { do: 'complete', media: photo }, true);
  draft.photos.set(person, photo);
  const posts = person === 'p0' ? postsOfTheStar : 1;
  for (let i = 0; i < posts; i += 1) add(draft, person, publish(draft, [photo]), true);
  const whom = oneOf(draft, draft.people);
  if (whom !== person) add(draft, person, { do: 'follow', whom }, true);
}
