import { account, add, type Draft, fullNames, oneOf, recent } from './draft.ts';
import {
  type Act,
  type Command,
  type Edit,
  type Name,
  type Newcomer,
  nobody,
  type Publish,
  type Storm,
  tagMark,
} from './plan.ts';

/** What somebody does next; null when there is nothing to do it to. */
type Turn = (draft: Draft, actor: Name) => Act | Storm | null;

const captions = ['', 'Where is this?', 'Two\nlines', 'שלום 👩‍👩‍👧‍👦', '100 % _done_ \\o/'];
const turns: [weight: number, turn: Turn][] = [
  [10, (draft, actor) => follow(draft, 'follow', other(draft, actor))],
  [6, (draft, actor) => follow(draft, 'unfollow', other(draft, actor))],
  [6, (draft, actor) => answer(draft, actor, 'approve')],
  [2, (draft, actor) => answer(draft, actor, 'decline')],
  [2, (draft, actor) => answer(draft, actor, 'remove')],
  [2, (draft, actor) => ({ do: 'block', whom: other(draft, actor) })],
  [3, unblock],
  [15, (draft) => onPost(draft, 'like')],
  [8, (draft) => onPost(draft, 'unlike')],
  [3, (draft) => onPost(draft, 'delete')],
  [8, (draft, actor) => publish(draft, someMedia(draft, actor))],
  [5, (draft, actor) => ownPost(draft, actor, 'delete')],
  [3, (draft, actor) => ownPost(draft, actor, 'like')],
  [5, (draft, actor) => edit(draft, actor)],
  [2, (draft) => ({ do: 'request', ...oneOf(draft, uploads) })],
  [3, (draft, actor) => complete(draft, actor)],
  [2, fresh],
  [5, storm],
  [4, doubled],
  [7, (draft, actor) => again(draft, actor, 'repeat')],
  [3, (draft, actor) => again(draft, actor, 'spoil')],
  [1, (_, actor) => ({ do: 'follow', whom: actor })],
  [1, () => ({ do: 'follow', whom: nobody })],
  [1, (draft) => ({ do: oneOf(draft, ['like', 'unlike', 'delete']), post: nobody })],
  [1, (draft) => publish(draft, [oneOf(draft, [nobody, oneOf(draft, draft.uploads).name])])],
  [0.6, newcomer],
  [0.6, () => ({ do: 'login' })],
  [3, () => ({ do: 'look-me' })],
  [3, () => ({ do: 'look-feed' })],
  [4, (draft) => ({ do: 'look-post', post: recent(draft, draft.posts).name })],
  [3, (draft, actor) => ({ do: 'look-user', whom: other(draft, actor) })],
];

/** A turn as often as it weighs, in tenths. */
export const drawn: readonly Turn[] = turns.flatMap(([weight, turn]) =>
  Array<Turn>(Math.round(10 * weight)).fill(turn),
);

/** What is announced, and what comes: photographs, text, or nothing; the last two are refused at once. */
const uploads = [
  { contentType: 'image/jpeg', content: 'photo' },
  { contentType: 'image/jpeg', content: 'photo' },
  { contentType: 'image/jpeg', content: 'text' },
  { contentType: 'image/png', content: 'nothing' },
  { contentType: 'text/plain', content: 'nothing' },
  { contentType: 'image/jpeg', content: 'nothing', size: 50 * 1024 * 1024 + 1 },
] as const;

function follow(draft: Draft, what: 'follow' | 'unfollow', whom: Name): Command {
  return draft.random.below(4) === 0 ? { do: what, whom, seenBy: whom } : { do: what, whom };
}

/** Mostly to somebody who has asked. */
function answer(draft: Draft, actor: Name, what: 'approve' | 'decline' | 'remove'): Command {
  const asking = draft.asked.filter(({ whom }) => whom === actor);
  const known = asking.length > 0 && draft.random.below(5) > 0;
  const whom = known ? recent(draft, asking).who : other(draft, actor);
  return draft.random.below(2) === 0 ? { do: what, whom, seenBy: whom } : { do: what, whom };
}

function unblock(draft: Draft, actor: Name): Command {
  const own = draft.blocked.filter(({ who }) => who === actor);
  return { do: 'unblock', whom: own.length > 0 ? recent(draft, own).whom : other(draft, actor) };
}

function onPost(draft: Draft, what: 'like' | 'unlike' | 'delete'): Command {
  const { name, author } = recent(draft, draft.posts);
  return draft.random.below(3) === 0 ? { do: what, post: name, seenBy: author } : { do: what, post: name };
}

function ownPost(draft: Draft, actor: Name, what: 'like' | 'delete'): Command | null {
  const own = draft.posts.filter((post) => post.author === actor);
  return own.length === 0 ? null : { do: what, post: recent(draft, own).name };
}

export function publish(draft: Draft, media: Name[]): Publish {
  const one = (of: number): boolean => draft.random.below(of) === 0;
  return {
    do: 'publish',
    media,
    caption: oneOf(draft, captions),
    location: one(3) ? 'Zürich' : null,
    isReel: one(5),
    hideCounts: one(5),
    commentsOff: one(5),
  };
}

/** Mostly what is ready for sure; sometimes others, several, or somebody else's. */
function someMedia(draft: Draft, actor: Name): Name[] {
  const photo = draft.photos.get(actor)!;
  if (draft.random.below(3) > 0) return [photo];
  const own = draft.uploads.filter((upload) => upload.owner === actor);
  const more = oneOf(draft, draft.random.below(5) === 0 ? draft.uploads : own).name;
  return [...new Set(draft.random.below(2) === 0 ? [photo, more] : [more])];
}

function edit(draft: Draft, actor: Name): Edit {
  const one = (of: number): boolean => draft.random.below(of) === 0;
  return {
    do: 'edit',
    fullName: `${oneOf(draft, fullNames)} ${draft.random.below(1_000)}`,
    bio: one(2) ? `Bio ${draft.random.below(1_000)}\n👋` : '',
    website: one(2) ? 'https://example.org/me' : null,
    gender: one(3) ? 'diverse' : null,
    avatar: one(3) ? null : someMedia(draft, actor)[0]!,
    ...(one(2) ? { isPrivate: one(2) } : {}),
  };
}

function complete(draft: Draft, actor: Name): Command {
  const own = draft.uploads.filter((upload) => upload.owner === actor);
  return { do: 'complete', media: recent(draft, draft.random.below(6) === 0 ? draft.uploads : own).name };
}

/** A post whose upload is still on its way: it will show, or never. */
function fresh(draft: Draft, actor: Name): Command {
  const content = oneOf(draft, ['photo', 'text'] as const);
  const media = add(draft, actor, { do: 'request', contentType: 'image/jpeg', content }, false);
  add(draft, actor, { do: 'complete', media }, false);
  return publish(draft, draft.random.below(2) === 0 ? [media] : [draft.photos.get(actor)!, media]);
}

/** Back and forth on one thing at the same time; mostly a last word follows, which must stand. */
function storm(draft: Draft, actor: Name): Storm {
  const post = recent(draft, draft.posts).name;
  const whom = other(draft, actor);
  const likes = draft.random.below(2) === 0;
  const one = (): Command =>
    likes
      ? { do: draft.random.below(2) === 0 ? 'like' : 'unlike', post }
      : { do: draft.random.below(2) === 0 ? 'follow' : 'unfollow', whom };
  const acts = Array.from({ length: 2 + draft.random.below(4) }, one);
  if (draft.random.below(4) === 0) return { do: 'storm', oneKey: false, acts };
  add(draft, actor, { do: 'storm', oneKey: false, acts }, false);
  return { do: 'storm', oneKey: false, acts: [one()] };
}

/** A button pressed several times: one request, at the same time. */
function doubled(draft: Draft, actor: Name): Storm | null {
  const act = oneOf<() => Command | null>(draft, [
    () => onPost(draft, 'like'),
    () => follow(draft, 'follow', other(draft, actor)),
    () => publish(draft, [draft.photos.get(actor)!]),
    () => ownPost(draft, actor, 'delete'),
    () => edit(draft, actor),
  ])();
  return act && { do: 'storm', oneKey: true, acts: [act, act, act].slice(draft.random.below(2)) };
}

function again(draft: Draft, actor: Name, what: 'repeat' | 'spoil'): Act | null {
  const said = draft.steps.filter((step) => step.actor === actor && hasKey(step.act));
  return said.length === 0 ? null : { do: what, step: recent(draft, said).id };
}

function hasKey(act: Act | Storm): boolean {
  if (act.do === 'storm') return act.oneKey;
  return !(act.do.startsWith('look') || ['login', 'repeat', 'spoil'].includes(act.do));
}

/** Few names, so that some come for the same one, perhaps at once; in any case of letters it is the same name. */
function newcomer(draft: Draft): Newcomer {
  const name = (): string => `${oneOf(draft, ['x', 'X'])}${draft.random.below(8)}`;
  return { ...account(name(), oneOf(draft, fullNames)), email: `${tagMark}${name()}@example.org` };
}

function other(draft: Draft, actor: Name): Name {
  const everybody = [...draft.people, ...draft.newcomers].filter((name) => name !== actor);
  return oneOf(draft, everybody);
}
