import type { BoundRoute } from '../../platform/http/bind.ts';
import { editProfile, eraseAccount } from '../../schemas/account/user.http.ts';
import { type FreeShell, runFree } from '../append/free.ts';
import { type Handle, type ReplyWith, requestOf } from '../guards/bind.ts';
import type { Models } from '../guards/models.ts';
import { problem } from '../guards/problem.ts';
import { loadMedia, newestOf } from '../media/media.state.ts';
import { type EraseShell, eraseAccount as erase } from './erase.ts';
import { decideEditProfile } from './user.decide.ts';
import { awaitAccount } from './user.state.ts';

export interface UserShell extends FreeShell, EraseShell {
  models: Models;
  reply: ReplyWith;
}

/** Part of F-ID10, and of F-ID11 that one may go. */
export function userRoutes(handle: Handle, shell: UserShell): BoundRoute[] {
  return [
    handle(editProfile, async (call) => {
      // Unless it is to be public: privacy stands since an earlier edit, and is kept when left out, whose ever that was.
      if (call.body.isPrivate !== false)
        await shell.models.caughtUpWithLog('accounts', 'user-events', call.viewer.userId);
      const own = await awaitAccount(shell.pool, shell.models, call.viewer.userId);
      if (!own) throw problem('user_not_found');
      const { avatarMediaId } = call.body;
      const media = await loadMedia(shell.pool, shell.models, avatarMediaId ? [avatarMediaId] : []);
      const avatar = avatarMediaId ? media.get(avatarMediaId) : undefined;
      const answered = await runFree(shell, requestOf(editProfile, call), {
        newestSeen: Math.max(own.eventTime, newestOf(media)),
        decide: (context) =>
          decideEditProfile({ avatar, privateSince: own.privateSince }, call.body, context),
        answer: () => ({ ...own.account, ...call.body }),
      });
      return shell.reply(call, answered);
    }),
    handle(eraseAccount, async (call) => {
      const position = await erase(shell, requestOf(eraseAccount, call, ['password']), call.body.password);
      return shell.reply(call, { body: undefined, position });
    }),
  ];
}
