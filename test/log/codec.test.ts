import { beforeAll, describe, expect, it } from 'vitest';
import { type Codec, openCodec, registerSchemas, type SealedEvent } from '../../platform/log/codec.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { ana, ben, event, noon } from '../harness/events.ts';

let codec: Codec<Event>;
beforeAll(async () => {
  const prefix = `t${Math.random().toString(36).slice(2)}.`;
  const options = { registryUrl: process.env.SCHEMA_REGISTRY_URL!, catalog: eventCatalog, prefix };
  await registerSchemas(options);
  codec = await openCodec<Event>(options);
});

const key = Buffer.alloc(32, 7);
const keys = (owner: string): Buffer | undefined => (owner === ana ? key : undefined);
const edited = (fullName: string, userId = ana) =>
  event(
    'ProfileEdited',
    { userId, fullName, bio: 'Hills', website: null, gender: null, avatarMediaId: null, privateSince: null },
    noon,
  );
const sealed = (one: Event): SealedEvent => codec.decode(codec.encode(one, key).value);
const undecodable = expect.objectContaining({ name: 'Undecodable' });
const failure = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
};

describe('personal fields', () => {
  it('are ciphertext in the log, and what was written to whom has the key', () => {
    const one = edited('Ana Example');
    const { value } = codec.encode(one, key);
    expect(value.includes('Ana Example')).toBe(false);
    expect(codec.reveal(codec.decode(value), keys)).toEqual({ ...one, type: 'ProfileEdited' });
  });
  it('read as null once the key is gone, and what is not personal stays', () => {
    expect(codec.reveal(sealed(edited('Ben', ben)), keys)).toMatchObject({
      ...{ userId: ben, fullName: null, bio: null },
    });
  });
  it('are never written without a key', () => {
    expect(() => codec.encode(edited('Ana'), null)).toThrow('no data key');
  });
  it('can not be moved into another field of their event', () => {
    const one = sealed(edited('Ana'));
    const moved = { ...one, fields: { ...one.fields, bio: one.fields.fullName } };
    expect(failure(() => codec.reveal(moved, keys))).toEqual(undecodable);
  });
  it('can not be moved into another event of their owner', () => {
    const [one, other] = [sealed(edited('Ana')), sealed(edited('Another'))];
    const moved = { ...one, fields: { ...one.fields, fullName: other.fields.fullName } };
    expect(failure(() => codec.reveal(moved, keys))).toEqual(undecodable);
  });
  it('that were changed are told from those that were not', () => {
    const one = sealed(edited('Ana'));
    const text = Buffer.from(one.fields.fullName as Buffer);
    text[14]! ^= 1;
    const changed = { ...one, fields: { ...one.fields, fullName: text } };
    expect(failure(() => codec.reveal(changed, keys))).toEqual(undecodable);
  });
});

describe('a record that is not what was written', () => {
  const followed = event('UserFollowed', { followerId: ana, followeeId: ben, followedAt: noon }, noon);
  it.each<[string, (value: Buffer) => Buffer]>([
    ['cut short', (value) => value.subarray(0, -1)],
    ['with something behind it', (value) => Buffer.concat([value, Buffer.from([0])])],
    ['without the mark of the registry', (value) => Buffer.concat([Buffer.from([1]), value.subarray(1)])],
    ['empty', () => Buffer.alloc(0)],
  ])('%s does not decode', (_, harm) => {
    expect(failure(() => codec.decode(harm(codec.encode(followed, null).value)))).toEqual(undecodable);
  });
});
