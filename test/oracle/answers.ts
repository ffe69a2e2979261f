import { differencesOf } from './difference.ts';
import { type Happened, whatHappened } from './happened.ts';
import { type Call, isAccepted, type Played } from './history.ts';
import { isLook, judgeLook } from './looks.ts';
import { learn, newOwn, type Own } from './own.ts';
import { type Command, type Name, nobody, type Plan, thingOf } from './plan.ts';
import { profile, registration } from './wire.ts';

/** An answer that is right: a refusal by its code, or an acceptance by what its body must be. */
export type Right = { refused: string } | { status: number; body: unknown };

/** What is wrong with the answers, each in a line. Where concurrency leaves several, any of those is right. */
export function judgeAnswers(plan: Plan, played: Played): string[] {
  const happened = whatHappened(played);
  const inOrder = played.calls.toSorted((a, b) => a.sent - b.sent);
  const wrong: string[] = [];
  for (const { name } of plan.cast) {
    const own = inOrder.filter((call) => call.actor === name);
    wrong.push(...judgePerson({ plan, played, happened }, own));
  }
  return wrong;
}

interface Known {
  plan: Plan;
  played: Played;
  happened: Happened;
}

function judgePerson(known: Known, calls: readonly Call[]): string[] {
  const [first, ...rest] = calls;
  const own = newOwn(first!);
  const wrong = judgeCall(known, own, first!);
  for (const [step, together] of Map.groupBy(rest, (call) => call.step)) {
    for (const call of together) wrong.push(...judgeCall(known, own, call));
    wrong.push(...judgeSameKey(together));
    learn(own, known.played, thingOf(step), together);
  }
  return wrong;
}

/** One request several times at once: whoever is accepted is told the same. */
function judgeSameKey(calls: readonly Call[]): string[] {
  const [first, ...rest] = calls.filter(isAccepted);
  if (!first || first.inStorm) return [];
  return rest.flatMap((call) => said(call, differencesOf(first.body, call.body)));
}

function judgeCall(known: Known, own: Own, call: Call): string[] {
  const { act } = call;
  if (isLook(act)) return said(call, judgeLook(known.happened, own, call));
  if (act.do === 'spoil') return said(call, matches(call, { refused: 'idempotency_key_reused' }));
  if (act.do === 'repeat') {
    const before = known.played.calls.find(
      ({ key, act: { do: what } }) => key === call.key && what !== 'spoil',
    )!;
    return said(call, differencesOf([before.status, kept(before.body)], [call.status, kept(call.body)]));
  }
  const rights = rightAnswers(known, own, call, act);
  const tried = rights.map((right) => matches(call, right));
  return tried.some((differences) => differences.length === 0) ? [] : said(call, tried.flat());
}

function said(call: Call, differences: readonly string[]): string[] {
  const what = `step ${call.id} of ${call.actor} (${call.request.method} ${call.request.path})`;
  return differences.map((difference) => `${what}: ${difference}`);
}

function matches(call: Call, right: Right): string[] {
  if ('refused' in right)
    return call.body?.code === right.refused ? [] : [`answered ${told(call)} instead of ${right.refused}`];
  if (call.status !== right.status) return [`answered ${told(call)} instead of ${right.status}`];
  return right.body === undefined ? [] : differencesOf(right.body, kept(call.body));
}

function told({ status, body }: Call): string {
  return body?.code ? `${status} ${body.code}` : `${status}`;
}

/** An answer without what is made anew for each: tokens, addresses to upload to, the trace of the request. */
function kept(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const { traceId: _t, token: _k, upload: _u, ...rest } = body as Record<string, unknown>;
  return rest;
}

/** Every answer that is right, for all that clients can know of who was first. */
function rightAnswers(known: Known, own: Own, call: Call, act: Command): Right[] {
  const { happened, played } = known;
  switch (act.do) {
    case 'follow':
    case 'unfollow': {
      if (act.whom === call.actor) return [{ refused: 'self_follow' }];
      const done = { status: 200, body: { following: act.do === 'follow', requested: false } };
      const asked = { status: 200, body: { following: false, requested: true } };
      const rights = either(happened.knowsPerson(call, act.whom), done, noSuchUser);
      return act.do === 'follow' && happened.isUnsure(call, act.whom) ? [...rights, asked] : rights;
    }
    case 'block':
    case 'unblock': {
      const done = { status: 200, body: { blocking: act.do === 'block' } };
      return either(happened.knowsPerson(call, act.whom), done, noSuchUser);
    }
    case 'approve':
      // Whether they ask is theirs to say.
      return [{ status: 200, body: { approved: true } }, { refused: 'follow_request_not_found' }, noSuchUser];
    case 'decline':
      return either(
        happened.knowsPerson(call, act.whom),
        { status: 200, body: { approved: false } },
        noSuchUser,
      );
    case 'remove':
      return either(
        happened.knowsPerson(call, act.whom),
        { status: 200, body: { follower: false } },
        noSuchUser,
      );
    case 'like':
    case 'unlike':
    case 'delete':
      return own.posts.has(act.post)
        ? onOwnPost(own, act.post, act.do)
        : onPost(happened, call, act.post, act.do);
    case 'publish': {
      const { do: _, media, ...rest } = act;
      const ids = (call.request.body as { media: string[] }).media;
      const post = {
        ...rest,
        id: call.body?.id,
        publishedAt: call.body?.publishedAt,
        authorId: own.account.id,
        media: ids,
      };
      return withMedia(own, media, { status: 201, body: post });
    }
    case 'edit': {
      const done = { status: 200, body: { ...own.account, ...profile(played, act) } };
      return withMedia(own, act.avatar === null ? [] : [act.avatar], done);
    }
    case 'request':
      if (act.contentType === 'text/plain') return [{ refused: 'media_type_unsupported' }];
      if (act.size) return [{ refused: 'media_too_large' }];
      return [{ status: 201, body: { mediaId: call.body?.mediaId, state: 'requested' } }];
    case 'complete':
      return onUpload(own, call, act.media, played.ids.get(act.media));
    case 'register':
      return onRegistration(happened, call, registration(played, act));
  }
}

/** null: it may be either. */
function either(yes: boolean | null, accepted: Right, refused: Right): Right[] {
  if (yes === null) return [accepted, refused];
  return [yes ? accepted : refused];
}

const notFound: Right = { refused: 'post_not_found' };
const noSuchUser: Right = { refused: 'user_not_found' };

function onOwnPost(own: Own, post: Name, what: 'like' | 'unlike' | 'delete'): Right[] {
  if (what === 'delete') return [{ status: 204, body: '' }];
  const done = { status: 200, body: { liked: what === 'like' } };
  return [what === 'unlike' || own.posts.get(post)!.live ? done : notFound];
}

function onPost(happened: Happened, call: Call, post: Name, what: 'like' | 'unlike' | 'delete'): Right[] {
  const { known, shown } = happened.outlook(call, post);
  if (what === 'delete') return either(shown, { refused: 'not_allowed' }, notFound);
  const done = { status: 200, body: { liked: what === 'like' } };
  return either(what === 'like' ? shown : known, done, notFound);
}

/** The first media that may not be named is told of; a text may be known for what it is already, or not yet. */
function withMedia(own: Own, media: readonly Name[], done: Right): Right[] {
  const rights: Right[] = [];
  for (const name of media) {
    const upload = own.uploads.get(name);
    if (!upload) return [...rights, { refused: 'media_not_found' }];
    if (!upload.completed) return [...rights, { refused: 'media_not_uploaded' }];
    if (upload.content === 'text') rights.push({ refused: 'media_rejected' });
  }
  return [...rights, done];
}

function onUpload(own: Own, { times }: Call, media: Name, mediaId: string | undefined): Right[] {
  const upload = media === nobody ? undefined : own.uploads.get(media);
  if (!upload) return [{ refused: 'media_not_found' }];
  if (upload.content === 'nothing') return [{ refused: 'media_not_uploaded' }];
  const later = upload.content === 'photo' ? 'ready' : 'rejected';
  const states = upload.completed || times > 1 ? ['uploaded', later] : ['uploaded'];
  return states.map((state) => ({ status: 202, body: { mediaId, state } }));
}

/** Of several who want a name one gets it; the username is looked at first. */
function onRegistration(happened: Happened, call: Call, wanted: ReturnType<typeof registration>): Right[] {
  const body = {
    user: {
      ...wanted,
      id: call.body?.user?.id,
      bio: '',
      website: null,
      isPrivate: false,
      avatarMediaId: null,
    },
  };
  const rights: Right[] = [];
  for (const [name, refused] of [
    [wanted.username, 'username_taken'],
    [wanted.email, 'email_taken'],
  ] as const) {
    const others = happened.claims(name).filter((one) => one !== call);
    if (others.some((one) => one.sent < call.answered)) rights.push({ refused });
    if (others.some((one) => one.answered < call.sent)) return rights;
  }
  return [...rights, { status: 201, body }];
}
