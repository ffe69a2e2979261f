import { createRandom } from '../../tools/load/random.ts';
import { type Answer, type Client, createClient } from '../harness/client.ts';
import type { Place } from '../harness/world.ts';
import { judgeAnswers } from './answers.ts';
import { askUntilKnown } from './ask.ts';
import { differencesOf } from './difference.ts';
import { factsOf } from './facts.ts';
import { factsWithout } from './gone.ts';
import { type History, type Played, playedOf } from './history.ts';
import { readRecords } from './log.ts';
import { createOracle, type MakeOracle } from './oracle.ts';
import { type Question, questions, sampleOf } from './questions.ts';
import { judgeStream } from './stream.ts';
import { others } from './system.ts';

export interface CompareOptions {
  /** Another than the right one, to see a difference found. */
  makeOracle?: MakeOracle;
  /** Names of reads that are left out, because nobody serves them in this world. */
  without?: readonly string[];
}

export interface Report {
  facts: number;
  /** Answers that were compared, by the route's name. */
  compared: Record<string, number>;
}

/** Where the product and the oracle do not agree. */
export class OracleDifference extends Error {
  override name = 'OracleDifference';
  readonly differences: readonly string[];
  constructor(seed: string, differences: readonly string[]) {
    const shown = differences.slice(0, 20).join('\n  ');
    super(`${differences.length} differences in the history of seed ${seed}:\n  ${shown}`);
    this.differences = differences;
  }
}

/** Names of the reads that are compared. */
export const comparedRoutes: readonly string[] = [
  ...Object.keys(questions),
  ...Object.keys(others),
  'openStream',
];

/**
 * Asks every read for nobody and several viewers and compares with what must be, whole: each field, each item, each
 * order. Call it when the world is drained. Throws an OracleDifference.
 */
export async function compareWithOracle(
  world: Place,
  history: History,
  options: CompareOptions = {},
): Promise<Report> {
  const { plan } = history;
  const played = playedOf(history);
  const { facts: all, findings } = factsOf(played, await readRecords(world));
  const facts = factsWithout(all, played.gone);
  const oracle = (options.makeOracle ?? createOracle)(facts, world.env.PUBLIC_URL!);
  const cast = plan.cast.map(({ name }) => played.ids.get(name)!).filter((id) => !played.gone.has(id));
  const sample = sampleOf(oracle, played, cast, createRandom(`questions ${plan.seed}`));
  const differences = [...judgeAnswers(plan, played), ...findings];
  const compared: Report['compared'] = {};
  const api = createClient(world.services);
  for (const [name, questionsOf] of Object.entries(questions)) {
    const asked = questionsOf(sample);
    compared[name] = asked.length;
    differences.push(...(await askAll(api, played, asked)));
  }
  const more = { ...others, openStream: judgeStream };
  for (const [name, judge] of Object.entries(more)) {
    if (options.without?.includes(name)) continue;
    const judged = await judge({ world, api, played, facts, oracle, cast });
    compared[name] = judged.asked;
    differences.push(...judged.differences);
  }
  if (differences.length > 0) throw new OracleDifference(plan.seed, differences);
  return { facts: facts.length, compared };
}

/** Reads under way at once. */
const atOnce = 6;
const patienceMs = 60_000;

async function askAll(api: Client, played: Played, asked: readonly Question[]): Promise<string[]> {
  const differences: string[] = [];
  const waiting = [...asked];
  const ask = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { viewer, path } = next;
      const found = await answerTo(api, played, next);
      differences.push(...found.map((difference) => `GET ${path} for ${viewer ?? 'nobody'}: ${difference}`));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, ask));
  return differences;
}

async function answerTo(api: Client, played: Played, { viewer, path, right }: Question): Promise<string[]> {
  const person = [...played.people.values()].find(({ id }) => id === viewer);
  const get = (address: string): Promise<Answer> =>
    askUntilKnown(api, { method: 'GET', path: address }, { token: person?.token }, patienceMs);
  if ('items' in right) return compareList(get, path, right);
  const { status, body } = await get(path);
  if ('refused' in right) return differencesOf(right.refused, body.code ?? status);
  return status === 200 ? differencesOf(right.body, body) : [`answered ${status} ${body.code}`];
}

/** Page by page, to its end. */
async function compareList(
  get: (path: string) => Promise<Answer>,
  path: string,
  { items, limit }: { items: unknown[]; limit: number },
): Promise<string[]> {
  const found: unknown[] = [];
  const list = `${path}${path.includes('?') ? '&' : '?'}limit=${limit}`;
  for (let cursor = ''; ; ) {
    const { status, body } = await get(`${list}${cursor && `&cursor=${cursor}`}`);
    if (status !== 200) return [`answered ${status} ${body.code}`];
    found.push(...body.items);
    if (body.items.length > limit) return [`${body.items.length} items on a page of ${limit}`];
    if (found.length > items.length + limit)
      return [`has more than the ${items.length} items it should have`];
    if (body.nextCursor === null) break;
    cursor = body.nextCursor;
  }
  return differencesOf(items, found);
}
