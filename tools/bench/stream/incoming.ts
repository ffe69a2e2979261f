/** What came over one WebSocket so far, as a client reads it that counts frames and looks into few. */
export interface Incoming {
  /** The answer to the upgrade, until it is whole; then null. */
  answer: string | null;
  /** The beginning of a frame's header, while it is not whole. */
  header: number[];
  /** Bytes of the frame's payload still to come; -1 between frames. */
  left: number;
  opcode: number;
  /** Pings and closes that have come. */
  pings: number;
  closed: boolean;
  /** Texts of a watched one, since they were last taken; null of all others. */
  texts: string[] | null;
  payload: Buffer[];
}

const text = 1;
const close = 8;
const ping = 9;

export function newIncoming(watched: boolean): Incoming {
  return {
    ...{ answer: '', header: [], left: -1, opcode: 0, pings: 0, closed: false },
    ...{ texts: watched ? [] : null, payload: [] },
  };
}

/** Takes the first `length` of these bytes; gives how many text frames ended in them. Throws when refused. */
export function take(incoming: Incoming, bytes: Buffer, length: number): number {
  let at = incoming.answer === null ? 0 : takeAnswer(incoming, bytes, length);
  let texts = 0;
  while (at < length) {
    if (incoming.left < 0) at = takeHeader(incoming, bytes, at, length);
    if (incoming.left < 0) break;
    const end = Math.min(length, at + incoming.left);
    if (incoming.texts) incoming.payload.push(Buffer.from(bytes.subarray(at, end)));
    incoming.left -= end - at;
    at = end;
    if (incoming.left > 0) break;
    incoming.left = -1;
    if (ended(incoming)) texts += 1;
  }
  return texts;
}

/** Where the frames begin. */
function takeAnswer(incoming: Incoming, bytes: Buffer, length: number): number {
  const before = incoming.answer!.length;
  const answer = incoming.answer + bytes.toString('latin1', 0, length);
  const end = answer.indexOf('\r\n\r\n');
  incoming.answer = end < 0 ? answer : null;
  if (end < 0) return length;
  if (!answer.startsWith('HTTP/1.1 101 ')) throw new Error(`A socket was refused: ${answer}`);
  return end + 4 - before;
}

/** Reads the header as far as it has come; where the payload begins. */
function takeHeader(incoming: Incoming, bytes: Buffer, from: number, length: number): number {
  const { header } = incoming;
  let at = from;
  while (at < length) {
    header.push(bytes[at]!);
    at += 1;
    if (header.length >= 2 && header.length === headerBytes(header[1]!)) {
      incoming.opcode = header[0]! & 15;
      incoming.left = payloadBytes(header);
      header.length = 0;
      return at;
    }
  }
  return at;
}

/** A server's frames are not masked; the length says itself how long it is. */
function headerBytes(second: number): number {
  if (second < 126) return 2;
  return second === 126 ? 4 : 10;
}

function payloadBytes(header: readonly number[]): number {
  if (header.length === 2) return header[1]!;
  return header.slice(2).reduce((sum, byte) => sum * 256 + byte, 0);
}

/** Whether it was a text. */
function ended(incoming: Incoming): boolean {
  const { opcode, texts, payload } = incoming;
  if (opcode === ping) incoming.pings += 1;
  if (opcode === close) incoming.closed = true;
  if (opcode === text && texts) texts.push(Buffer.concat(payload).toString());
  incoming.payload = [];
  return opcode === text;
}
