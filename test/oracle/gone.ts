import { createClient, expectStatus } from '../harness/client.ts';
import type { World } from '../harness/world.ts';
import type { Fact } from './fact.ts';
import { type History, playedOf } from './history.ts';

/** Erases the first of the cast that is still there, of whom most was said and done. */
export async function eraseOne(world: World, history: History): Promise<void> {
  const played = playedOf(history);
  const cast = history.plan.cast.map(({ name }) => played.people.get(name)!);
  const leaver = cast.find(({ id }) => !played.gone.has(id))!;
  const { token, password } = leaver;
  const api = createClient(world.services);
  expectStatus(await api.call('DELETE', '/api/users/me', { token, body: { password } }), 204);
  played.gone.add(leaver.id);
}

/** What is left of the facts: none of, to or about who is gone. */
export function factsWithout(facts: readonly Fact[], gone: ReadonlySet<string>): Fact[] {
  return facts.filter((fact) => !peopleOf(fact).some((id) => gone.has(id)));
}

function peopleOf(fact: Fact): string[] {
  if ('person' in fact) return [fact.person];
  if ('follower' in fact) return [fact.follower, fact.followee];
  if ('blocker' in fact) return [fact.blocker, fact.blocked];
  if ('liker' in fact) return [fact.liker];
  return 'author' in fact ? [fact.author] : [fact.owner];
}
