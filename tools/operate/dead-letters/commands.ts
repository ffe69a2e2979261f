import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { failure } from '../../../deploy/native/failure.ts';
import { withOperator } from '../connect.ts';
import { requireModel } from '../models.ts';
import { confirmMany } from './confirm.ts';
import { contentOf, type Desk, withDesk } from './desk.ts';
import { recordOf, type Shown, startOf, withSet } from './event.ts';
import {
  addressOf,
  eachOnce,
  type Letter,
  parseAddress,
  readKeys,
  readLetters,
  type Selection,
} from './letters.ts';
import { keysAsJson, keysAsTable, letterAsJson, triedInWords } from './print.ts';
import { askRetry, awaitRetry, type KeyOfBuild, recordsIn, type Tried } from './retry.ts';
import { rule, type Verdict } from './rule.ts';

type Environment = Record<string, string | undefined>;

export interface Options extends Selection {
  limit: number;
  json?: boolean;
  yes?: boolean;
  set?: string[];
  file?: string;
  reason?: string;
}

/** Records of one key that are shown or discarded at a time. */
const mostLetters = 10_000;

/** Every command gives what it prints, and whether all went as asked. */
export interface Said {
  text: string;
  ok: boolean;
}

export function list(env: Environment, options: Options): Promise<Said> {
  return withOperator(env, async ({ pool }) => {
    if (options.model) await requireModel(pool, options.model);
    const { keys, allKeys, allRecords } = await readKeys(pool, options, options.limit);
    const all = { keys: allKeys, records: allRecords };
    const now = Date.now();
    return said(options.json ? keysAsJson(keys, now) : keysAsTable(keys, all, now));
  });
}

export function show(env: Environment, address: string | undefined, options: Options): Promise<Said> {
  return withDesk(env, async (desk) => {
    const letters = await chosen(desk, address, options, options.limit);
    const groups = [...Map.groupBy(letters, addressOf).values()];
    const all = await Promise.all(groups.map((group) => letterAsJson(desk, group)));
    return said(address ? all[0] : all);
  });
}

export function edit(env: Environment, address: string, options: Options): Promise<Said> {
  return withDesk(env, async (desk) => {
    const [letter] = await chosen(desk, address, options, mostLetters);
    const content = await contentOf(desk, letter!);
    const wanted = await wantedOf(letter!, options, () => startOf(content, letter!));
    const replacement = await recordOf(desk, letter!, content, wanted);
    return ruled(desk, [{ letter: letter!, replacement, reason: null }], options);
  });
}

export function discard(env: Environment, address: string | undefined, options: Options): Promise<Said> {
  return withDesk(env, async (desk) => {
    const letters = eachOnce(await chosen(desk, address, options, mostLetters));
    await confirmMany(letters.length, 'discard', options.yes);
    const reason = options.reason ?? null;
    return ruled(
      desk,
      letters.map((letter) => ({ letter, replacement: null, reason })),
      options,
    );
  });
}

export function retry(env: Environment, options: Options): Promise<Said> {
  return withOperator(env, async ({ pool }) => {
    if (options.model) await requireModel(pool, options.model);
    const { keys, allKeys } = await readKeys(pool, options, options.limit);
    if (keys.length === 0)
      return said(options.json ? { through: 0, parked: 0, waiting: 0 } : 'Nothing is parked.');
    await confirmMany(recordsIn(keys), 'try again', options.yes);
    const { model, key } = options;
    await askRetry(pool, keys, { model, key });
    const tried = await awaitRetry(pool, keys);
    const left = allKeys - keys.length;
    return ended(
      tried,
      options,
      left > 0 ? `\n  → ${left} more are parked; --limit takes more at a time.` : '',
    );
  });
}

async function chosen(
  desk: Desk,
  address: string | undefined,
  selection: Selection,
  limit: number,
): Promise<Letter[]> {
  if (!address && !selection.key)
    throw failure('It is not said which letter.', 'Name one, such as likes:like-events/3/17, or a --key.');
  const place = address ? parseAddress(address) : {};
  const letters = await readLetters(desk.pool, { ...selection, ...place }, limit);
  if (letters.length > 0) return letters;
  throw failure(
    `${address ?? `A record of the key ${selection.key}`} is not parked.`,
    'See what is with npx emulsion dead-letters list.',
  );
}

async function wantedOf(letter: Letter, { file, set }: Options, start: () => Shown): Promise<Shown> {
  const given = file === undefined ? null : parsed(readFileSync(file, 'utf8'), file);
  if (set && set.length > 0) return withSet(given ?? start(), set);
  return given ?? edited(letter, start());
}

/** Lets the operator's editor at the event. */
function edited(letter: Letter, start: Shown): Shown {
  if (!process.stdin.isTTY) throw failure('Nobody is here to edit.', 'Use --set field=value or --file.');
  const folder = mkdtempSync(path.join(tmpdir(), 'dead-letter-'));
  const file = path.join(folder, 'event.json');
  try {
    writeFileSync(file, `${JSON.stringify(start, null, 2)}\n`, { mode: 0o600 });
    const editor = process.env.VISUAL || process.env.EDITOR || 'vi';
    const { status } = spawnSync(editor, [file], { stdio: 'inherit', shell: true });
    if (status !== 0)
      throw failure(`${editor} ended with ${status}, nothing was done.`, 'Set EDITOR, or use --file.');
    const wanted = parsed(readFileSync(file, 'utf8'), addressOf(letter));
    if (JSON.stringify(wanted) === JSON.stringify(start))
      throw failure(
        'Nothing was changed, so nothing was done.',
        'emulsion dead-letters retry tries it as it is.',
      );
    return wanted;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function parsed(text: string, from: string): Shown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Shown;
    throw new Error('it is no object');
  } catch (error) {
    throw failure(
      `${from} is not the JSON of an event: ${(error as Error).message}.`,
      'Mend it and try again.',
    );
  }
}

/** Rules key by key, then waits for what becomes of those keys in every build. */
async function ruled(desk: Desk, verdicts: readonly Verdict[], options: Options): Promise<Said> {
  const keyOf = ({ letter }: Verdict): string =>
    JSON.stringify([letter.model, letter.topic, letter.partition, letter.key]);
  const keys: KeyOfBuild[] = [];
  for (const group of Map.groupBy(verdicts, keyOf).values()) {
    const { topic, partition, key } = group[0]!.letter;
    for (const consumer of await rule(desk, group)) keys.push({ consumer, topic, partition, key });
  }
  return ended(await awaitRetry(desk.pool, keys), options, '');
}

function ended(tried: Tried, { json }: Options, more: string): Said {
  const ok = tried.parked === 0 && tried.waiting === 0;
  return { ok, text: json ? JSON.stringify(tried) : `${triedInWords(tried)}${more}` };
}

function said(what: unknown): Said {
  return { ok: true, text: typeof what === 'string' ? what : JSON.stringify(what, null, 2) };
}
