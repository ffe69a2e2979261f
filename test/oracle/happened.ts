import { type Call, isAccepted, type Played, toldBy } from './history.ts';
import { type Act, type Name, nobody, type RequestUpload, stepOf } from './plan.ts';

/** What others did that an answer may depend on, and when, as far as the clients know. */
export interface Happened {
  /** The call that made a thing. */
  maker(thing: Name): Call | undefined;
  /** How a post may have looked to somebody who is not its author when the call was decided. */
  outlook(call: Call, post: Name): Outlook;
  /** Whether a person was sure to be known; null: perhaps. */
  knowsPerson(call: Call, whom: Name): boolean | null;
  /**
   * Whether others may have changed what is between the two, or the other one's privacy, before the call was decided:
   * then the answer may be one of several.
   */
  isUnsure(call: Call, whom: Name): boolean;
  /** Who has the id. */
  nameOf(userId: string): Name | undefined;
  /** Registrations that were accepted, by name in small letters: usernames and email addresses. */
  claims(name: string): readonly Call[];
}

export interface Outlook {
  /** That it once was; null: perhaps. */
  known: boolean | null;
  /** That it may be seen; null: perhaps. */
  shown: boolean | null;
}

export function whatHappened({ calls, people }: Played): Happened {
  const done = calls.filter(isAccepted);
  const makers = new Map<number, Call>();
  for (const call of done)
    if (['publish', 'request', 'register'].includes(call.act.do) && call.step >= 0)
      makers.set(call.step, call);
  const deletes = Map.groupBy(done, ({ act }) => (act.do === 'delete' ? act.post : null));
  const claims = Map.groupBy(
    done
      .filter(({ act }) => act.do === 'register')
      .flatMap((call) => claimsOf(call).map((name) => ({ name, call }))),
    ({ name }) => name,
  );
  const maker = (thing: Name): Call | undefined => makers.get(stepOf(thing) ?? -1);
  const contentOf = (media: Name): { early: boolean; content: RequestUpload['content'] } => {
    const made = maker(media);
    return {
      early: made?.early ?? false,
      content: made?.act.do === 'request' ? made.act.content : 'nothing',
    };
  };
  const ties = done.filter(({ act }) => changesTies(act));
  const isUnsure = (call: Call, whom: Name): boolean =>
    ties.some(
      ({ actor, act, sent }) =>
        sent < call.answered &&
        ('whom' in act
          ? (actor === whom && act.whom === call.actor) || (actor === call.actor && act.whom === whom)
          : actor === whom),
    );
  const names = new Map([...people].map(([name, person]) => [person.id, name]));
  return {
    maker,
    isUnsure,
    nameOf: (userId) => names.get(userId),
    claims: (name) => claims.get(name.toLowerCase())?.map(({ call }) => call) ?? [],
    knowsPerson(call, whom) {
      if (whom === nobody) return false;
      if (isUnsure(call, whom)) return null;
      return stepOf(whom) === null || toldBy(call) === whom ? true : null;
    },
    outlook(call, post) {
      const made = maker(post);
      if (made?.act.do !== 'publish') return { known: false, shown: false };
      const told = toldBy(call) === made.actor;
      const media = made.act.media.map(contentOf);
      const gone = deletes.get(post) ?? [];
      const never = media.some(({ content }) => content === 'text');
      // The answer to a second try has no position of the first, so whoever is told need not know.
      const surelyGone = told && gone.some((one) => one.times === 1 && one.answered < call.sent);
      const perhapsGone = gone.some((one) => one.sent < call.answered);
      const known = made.early || told || null;
      const ready = media.every(({ early, content }) => early && content === 'photo');
      const unsure = isUnsure(call, made.actor);
      if (never || surelyGone) return { known: unsure ? null : known, shown: false };
      if (unsure) return { known: null, shown: null };
      return { known, shown: (known && ready && !perhapsGone) || null };
    },
  };
}

/** A block or its end, an answer to a request, a follower removed; an account that goes private. */
function changesTies(act: Act): boolean {
  if (act.do === 'edit') return act.isPrivate === true;
  return ['block', 'unblock', 'approve', 'decline', 'remove'].includes(act.do);
}

function claimsOf({ body }: Call): string[] {
  const { username, email } = body.user;
  return [username.toLowerCase(), email.toLowerCase()];
}
