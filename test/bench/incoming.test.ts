import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newIncoming, take } from '../../tools/bench/stream/incoming.ts';
import { outOfOrder, type Place } from '../../tools/bench/stream/order.ts';

const upgraded = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n');

/** A frame as a server sends it. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = [0x80 | opcode];
  if (length < 126) head.push(length);
  else if (length < 65_536) head.push(126, length >> 8, length & 255);
  else head.push(127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255);
  return Buffer.concat([Buffer.from(head), payload]);
}

const payload = fc.oneof(
  fc.string({ maxLength: 10 }),
  fc.constantFrom('x'.repeat(125), 'y'.repeat(126), 'z'.repeat(70_000)),
);
const sent = fc.array(fc.record({ opcode: fc.constantFrom(1, 9), payload }), { maxLength: 12 });

it('frames are counted however the bytes are cut', () => {
  fc.assert(
    fc.property(sent, fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }), (frames, cuts) => {
      const bytes = Buffer.concat([upgraded, ...frames.map((f) => frame(f.opcode, Buffer.from(f.payload)))]);
      const incoming = newIncoming(true);
      let texts = 0;
      for (let at = 0, n = 0; at < bytes.length; n += 1) {
        const part = bytes.subarray(at, at + cuts[n % cuts.length]!);
        texts += take(incoming, part, part.length);
        at += part.length;
      }
      const wanted = frames.filter(({ opcode }) => opcode === 1).map((f) => f.payload);
      expect(texts).toBe(wanted.length);
      expect(incoming.texts).toEqual(wanted);
      expect(incoming.pings).toBe(frames.length - wanted.length);
    }),
    { numRuns: 200 },
  );
});

it('bytes behind the length are those of another socket', () => {
  const incoming = newIncoming(false);
  const bytes = Buffer.concat([upgraded, frame(1, Buffer.from('a')), frame(1, Buffer.from('b'))]);
  expect(take(incoming, bytes, bytes.length - 3)).toBe(1);
});

it('a refusal is told', () => {
  const refused = Buffer.from('HTTP/1.1 401 Unauthorized\r\n\r\n');
  expect(() => take(newIncoming(false), refused, refused.length)).toThrow('401');
});

it('frames are in order when each follows the one before, but for what was had already', () => {
  const told = (...texts: { type: string; seq: number }[]): (string | null)[] => {
    const place: Place = { seq: null };
    return texts.map((text) => outOfOrder(place, JSON.stringify(text)));
  };
  const hello = { type: 'hello', seq: 4 };
  const at = (seq: number) => ({ type: 'post.liked', seq });
  expect(told(hello, at(5), at(6))).toEqual([null, null, null]);
  expect(told(hello, at(4), at(5))).toEqual([null, null, null]);
  expect(told(hello, at(6), at(7))).toEqual([null, 'after 4 came 6', null]);
  expect(told(at(5))[0]).toMatch('it began with');
});
