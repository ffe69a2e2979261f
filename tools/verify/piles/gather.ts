import type { Event } from '../../../schemas/generated/events.ts';
import { topics } from '../../../schemas/topics.ts';
import { createScratch, type Digest, reserve, type Scratch } from '../bytes/cells.ts';
import { bucketHash, type Layout, putRegister } from '../bytes/layout.ts';
import type { Located, Reading } from '../events.ts';
import type { Verified } from '../snapshot.ts';
import type { Spill } from './spill.ts';

/** One model on its way through: which piles its rows are spread over. */
export interface Subject extends Verified {
  layouts: readonly Layout[];
  buckets: number;
  /** Where the log is read to, by `topic/partition`: the position, or beyond it for rows that come first. */
  ends: ReadonlyMap<string, number>;
  /** Who is erased, by what the rows hold of the log: 36 bytes an account, for all of the run. */
  erased: Set<string>;
  /** Of a model whose rows come first: who is erased by its rows. */
  shownErased: Set<string>;
}

/** What an event says of one register: which table, flags, where the event lies, then the row (layout.ts). */
export const factHead = 11;
/** The owner's data key was not there when the event was read. */
export const unrevealed = 1;
/** The event lies behind the saved position: the rows may have it already. */
export const ahead = 2;

export interface Place {
  topic: string;
  partition: number;
  offset: number;
}

export const factsPile = (model: string, bucket: number): string => `${model}.facts.${bucket}`;
export const rowsPile = (model: string, bucket: number): string => `${model}.rows.${bucket}`;
export const countRowsPile = (model: string, bucket: number): string => `${model}.count-rows.${bucket}`;
export const countsPile = (model: string, bucket: number): string => `${model}.counts.${bucket}`;

/** Where the event of a fact lies. */
export function placeOf(fact: Buffer): Place {
  return { topic: topics[fact[2]!]!, partition: fact.readUInt16BE(3), offset: fact.readUIntBE(5, 6) };
}

/** Whether the rows of this model must hold, or may hold already, what lies there; null: neither. */
function standing({ state, ends }: Subject, { topic, partition, offset }: Place): 'held' | 'ahead' | null {
  const id = `${topic}/${partition}`;
  if (offset >= (ends.get(id) ?? 0) || state.parked.has(id, offset)) return null;
  return offset < (state.positions.get(id) ?? 0) ? 'held' : 'ahead';
}

/** Gives what spreads the facts of each record over the piles; `broken` takes what does not decode and is not parked. */
export function createGatherer(
  subjects: readonly Subject[],
  spill: Spill,
  digest: Digest,
  broken: Sentences,
): (located: Located) => void {
  const scratch = createScratch();
  const byTopic = Map.groupBy(
    subjects.flatMap((subject) => subject.spec.topics.map((topic) => ({ topic, subject }))),
    ({ topic }) => topic,
  );
  const gather = (subject: Subject, located: Located): void => {
    const { ruled } = located;
    const stands = standing(subject, located);
    const reading = ruled.has(subject.state.model) ? ruled.get(subject.state.model)! : located;
    if (!stands || !reading) return;
    const problem = reading.event
      ? addFacts(subject, spill, scratch, digest, located, reading, reading.event, stands)
      : 'does not decode';
    const { topic, partition, offset } = located;
    if (problem && stands === 'held')
      say(broken, `${subject.state.model}: ${topic}/${partition}/${offset} ${problem} and is not parked`);
  };
  return (located) => {
    for (const { subject } of byTopic.get(located.topic) ?? []) gather(subject, located);
  };
}

/** Sentences of which the first are kept and all are counted. */
export interface Sentences {
  first: string[];
  count: number;
}

const keptSentences = 20;

function say(sentences: Sentences, sentence: string): void {
  sentences.count += 1;
  if (sentences.first.length < keptSentences) sentences.first.push(sentence);
}

function addFacts(
  subject: Subject,
  spill: Spill,
  scratch: Scratch,
  digest: Digest,
  place: Place,
  reading: Reading,
  event: Event,
  stands: 'held' | 'ahead',
): string | null {
  const flags = (reading.unrevealed ? unrevealed : 0) | (stands === 'ahead' ? ahead : 0);
  noteErasure(subject, event, stands);
  for (const write of subject.spec.writes(event)) {
    const layout = subject.layouts.find(({ table }) => table === write.table)!;
    scratch.length = 0;
    putPlace(scratch, layout.index, flags, place);
    const { time, id } = event.meta;
    const fits = putRegister(scratch, layout, write.row, { live: write.live, time, id }, digest);
    if (!fits) return 'has an id that is no UUID';
    const bucket = bucketHash(layout, scratch.bytes, factHead) % subject.buckets;
    spill.add(factsPile(subject.state.model, bucket), scratch.bytes, scratch.length);
  }
  return null;
}

/** Of an erasure behind the saved position its own row tells whether the rows have it. */
function noteErasure({ spec, erased, shownErased }: Subject, event: Event, stands: 'held' | 'ahead'): void {
  if (!spec.erasure || event.type !== 'UserErased') return;
  if (stands === 'held' || shownErased.has(event.userId)) erased.add(event.userId);
}

function putPlace(scratch: Scratch, table: number, flags: number, { topic, partition, offset }: Place): void {
  reserve(scratch, factHead);
  const { bytes } = scratch;
  bytes[0] = table;
  bytes[1] = flags;
  bytes[2] = topics.indexOf(topic as (typeof topics)[number]);
  bytes.writeUInt16BE(partition, 3);
  bytes.writeUIntBE(offset, 5, 6);
  scratch.length = factHead;
}
