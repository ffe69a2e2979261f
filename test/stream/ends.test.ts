import { expect, it } from 'vitest';
import { streamEnds } from '../../schemas/notify/frame.ts';
import { openStream } from '../../schemas/notify/stream.http.ts';
import { problems } from '../../schemas/problems.ts';

/** Only a stream that is open can end so; a request for one is never answered with these. */
const onlyWhenOpen = ['message_invalid', 'too_many_messages', 'consumer_too_slow'];
const ofEveryRoute = ['token_missing', 'token_invalid', 'token_expired', 'dependency_unavailable'];

it('a stream refuses with the codes and titles of every other answer', () => {
  const documented = Object.entries(streamEnds).filter(([code]) => !onlyWhenOpen.includes(code));
  for (const [code, { status, title }] of documented) {
    expect(problems).toHaveProperty(code, { status, title });
  }
  const codes = documented.map(([code]) => code).filter((code) => !ofEveryRoute.includes(code));
  expect([...openStream.problems].sort()).toEqual(codes.sort());
});
