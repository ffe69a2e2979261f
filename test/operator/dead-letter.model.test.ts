import { expect, it } from 'vitest';
import { rulings } from '../../projectors/operator/dead-letter.model.ts';
import { letterId } from '../../schemas/operator/dead-letter.ts';
import { event, noon, nth } from '../harness/events.ts';
import { openProjected } from '../harness/projection.ts';

const projected = openProjected();

const place = { model: 'likes', topic: 'like-events', partition: 3, offset: 41 };
const letter = { ...place, letterId: letterId(place) };
const row = {
  letter_id: letter.letterId,
  model: 'likes',
  log_topic: 'like-events',
  log_partition: 3,
  log_offset: 41,
};

const edited = (at: number, id?: string) =>
  event('DeadLetterEdited', { ...letter, replacement: Buffer.from('a record') }, noon + at, id);
const discarded = (at: number, id?: string, reason: string | null = 'spam') =>
  event('DeadLetterDiscarded', { ...letter, reason }, noon + at, id);

it('a ruling names the model, the place in the log and what was decided', async () => {
  expect(await projected(rulings, [discarded(1)])).toMatchObject({
    ruling: [{ ...row, verdict: 'discarded', reason: 'spam', live: true }],
  });
  expect(await projected(rulings, [edited(1)])).toMatchObject({
    ruling: [{ ...row, verdict: 'edited', reason: null, live: true }],
  });
});

it('the newest ruling of a letter holds, and an older one that comes late does not', async () => {
  expect(
    await projected(rulings, [discarded(3, undefined, 'after all'), edited(2), discarded(1)]),
  ).toMatchObject({
    ruling: [{ verdict: 'discarded', reason: 'after all' }],
  });
});

it.each([
  ['edited', nth(9)],
  ['discarded', nth(7)],
])('of two of one moment it is %s, whose id is larger', async (verdict, id) => {
  expect(await projected(rulings, [edited(1, id), discarded(1, nth(8))])).toMatchObject({
    ruling: [{ verdict }],
  });
});

it('one record may be ruled on for each model that parked it', async () => {
  const other = { ...place, model: 'posts' };
  const ruled = event('DeadLetterDiscarded', { ...other, letterId: letterId(other), reason: null }, noon + 1);
  const rows = await projected(rulings, [edited(1), ruled]);
  expect(rows.ruling).toHaveLength(2);
  expect(rows.ruling).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ model: 'likes', verdict: 'edited' }),
      expect.objectContaining({ model: 'posts', verdict: 'discarded', reason: null }),
    ]),
  );
});
