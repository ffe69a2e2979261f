import type { Counter } from 'prom-client';
import type { BoundRoute } from '../../platform/http/bind.ts';
import { login, readJwks, refresh, register } from '../../schemas/account/auth.http.ts';
import { type Handle, type ReplyWith, requestOf } from '../guards/bind.ts';
import type { Models } from '../guards/models.ts';
import { problem } from '../guards/problem.ts';
import { verifyLogin } from './login.ts';
import { type RegisterShell, registerAccount } from './register.ts';
import type { Sessions } from './sessions.ts';
import { readPublicKeys } from './signing-key.ts';
import { awaitAccount } from './user.state.ts';

export interface AuthShell extends RegisterShell {
  models: Models;
  sessions: Sessions;
  reply: ReplyWith;
  /** signups_total */
  signups: Counter;
}

/** F-ID1, and of F-ID3 login and refresh. Tokens are made for each answer and kept nowhere. */
export function authRoutes(handle: Handle, shell: AuthShell): BoundRoute[] {
  return [
    handle(register, async (call) => {
      const { password, ...command } = call.body;
      const request = requestOf(register, call, ['password']);
      const registered = await registerAccount(shell, request, command, password);
      if (registered.created) shell.signups.inc();
      const token = await shell.sessions.open(registered.body.id);
      return shell.reply(call, { ...registered, body: { user: registered.body, token } });
    }),
    handle(login, async (call) => {
      const userId = await verifyLogin(shell, call.body.identifier, call.body.password);
      const own = await awaitAccount(shell.pool, shell.models, userId);
      if (!own)
        throw problem('position_timeout', 'The account is so new that it does not show yet; try again.');
      const token = await shell.sessions.open(userId);
      return shell.reply(call, { body: { user: own.account, token }, position: null });
    }),
    handle(refresh, async (call) => {
      const token = await shell.sessions.refresh(call.body.refreshToken);
      if (!token) throw problem('refresh_token_invalid', 'Log in again.');
      return shell.reply(call, { body: { token }, position: null });
    }),
    handle(readJwks, async () => ({ body: await readPublicKeys(shell.pool) })),
  ];
}
