import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startWorld, type World } from '../harness/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'query-api', 'projectors'] });
});
afterAll(() => world?.stop());

const asOf = async (path: string): Promise<number> =>
  Date.parse((await world.api.call('GET', path)).headers.get('x-as-of') ?? '');

test('a read is as fresh as the log has been looked at, also while nothing new comes', async () => {
  const { username } = await world.api.register();
  await world.drained();
  const quiet = Date.now();
  // No event after this, of any model that the profile is read from.
  await vi.waitFor(async () => expect(await asOf(`/api/users/${username}`)).toBeGreaterThan(quiet), {
    timeout: 20_000,
    interval: 200,
  });
});

test('it says so when a model does not go on, and goes on when the model does', async () => {
  const { username } = await world.api.register();
  await world.drained();
  world.services.projectors.signal('SIGSTOP');
  const frozen = Date.now();
  const first = await asOf(`/api/users/${username}`);
  expect(first).toBeLessThanOrEqual(frozen);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(await asOf(`/api/users/${username}`)).toBeLessThanOrEqual(frozen);
  world.services.projectors.signal('SIGCONT');
  await vi.waitFor(async () => expect(await asOf(`/api/users/${username}`)).toBeGreaterThan(frozen + 2_500), {
    timeout: 20_000,
    interval: 200,
  });
});
