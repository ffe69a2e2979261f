import type { z } from 'zod';
import type { Account } from '../../schemas/shapes.ts';
import { type Call, isAccepted, type Played, toldBy } from './history.ts';
import type { Name, RequestUpload } from './plan.ts';
import { profile } from './wire.ts';

/** null: several said different things at once, or the answer's position was not kept. The log knows, the client does not. */
export type Sure = boolean | null;

/** What one person knows of their own, because nobody else can change it and they do one thing after the other. */
export interface Own {
  account: z.infer<typeof Account>;
  follows: Map<Name, Sure>;
  likes: Map<Name, Sure>;
  posts: Map<Name, { id: string; live: boolean; publishedAt: string; media: Name[] }>;
  uploads: Map<Name, { content: RequestUpload['content']; completed: boolean }>;
}

export function newOwn(registration: Call): Own {
  return {
    account: registration.body.user,
    follows: new Map(),
    likes: new Map(),
    posts: new Map(),
    uploads: new Map(),
  };
}

/** Takes what was accepted of one step: one call, or several at once. */
export function learn(own: Own, played: Played, thing: Name, calls: readonly Call[]): void {
  for (const call of calls.filter(isAccepted)) {
    const { act, body } = call;
    const said = (on: boolean, before: Sure | undefined): Sure => {
      const unsure = toldBy(call) !== null || (call.inStorm && before !== on);
      return unsure ? null : on;
    };
    if (act.do === 'follow' || act.do === 'unfollow')
      own.follows.set(act.whom, body.requested ? null : said(act.do === 'follow', own.follows.get(act.whom)));
    if (act.do === 'like' || act.do === 'unlike')
      own.likes.set(act.post, said(act.do === 'like', own.likes.get(act.post)));
    if (act.do === 'edit') own.account = { ...own.account, ...profile(played, act) };
    if (act.do === 'publish')
      own.posts.set(thing, { id: body.id, live: true, publishedAt: body.publishedAt, media: act.media });
    if (act.do === 'request') own.uploads.set(thing, { content: act.content, completed: false });
    const post = act.do === 'delete' && own.posts.get(act.post);
    if (post) post.live = false;
    const upload = act.do === 'complete' && own.uploads.get(act.media);
    if (upload) upload.completed = true;
  }
}
