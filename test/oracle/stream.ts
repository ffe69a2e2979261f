import { framesOf, frameText } from './frames.ts';
import type { Compared, Judged } from './system.ts';

interface Message {
  seq: number;
  head: number;
  type: string;
  data: object;
  time: string;
  traceId?: string;
}

/** How long a stream may take to tell all that it has, milliseconds. */
const patienceMs = 30_000;

/** Each stream from its beginning: what must be told is told once, in the order of its numbers, and nothing strange. */
export async function judgeStream({ world, played, facts, oracle, cast }: Compared): Promise<Judged> {
  const frames = framesOf(facts, oracle);
  const differences: string[] = [];
  for (const person of [...played.people.values()].filter(({ id }) => cast.includes(id))) {
    const told = await readStream(world.services.stream.url, person.token);
    const texts = told.map(frameText);
    const must = frames.must.get(person.id) ?? new Set();
    const may = frames.may.get(person.id) ?? new Set();
    const wrong = [
      ...[...must].filter((text) => !texts.includes(text)).map((text) => `was not told of ${text}`),
      ...texts.filter((text) => !may.has(text)).map((text) => `was told of ${text}`),
      ...texts
        .filter((text, index) => texts.indexOf(text) !== index)
        .map((text) => `was told twice of ${text}`),
      ...told
        .filter(({ seq }, n) => n > 0 && seq <= told[n - 1]!.seq)
        .map(({ seq }) => `got ${seq} out of order`),
    ];
    differences.push(...wrong.map((difference) => `GET /api/stream for ${person.id}: ${difference}`));
  }
  return { asked: cast.length, differences };
}

/** Frames with facts, up to the newest there is when the stream begins. */
async function readStream(url: string, token: string): Promise<Message[]> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error('the stream did not get to its head')), patienceMs);
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/api/stream?cursor=0`, { headers, signal: abort.signal });
  const told: Message[] = [];
  try {
    let head: number | null = null;
    for await (const message of messagesOf(answer)) {
      if (message.type === 'hello') head = message.head;
      if (message.time !== undefined) told.push(message);
      const at = message.type === 'hello' ? 0 : message.seq;
      if (head !== null && at >= head) return told;
    }
    throw new Error(`the stream ended: ${answer.status}`);
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

async function* messagesOf(answer: Response): AsyncGenerator<Message> {
  let text = '';
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const data = block.split('\n').find((line) => line.startsWith('data: '));
      if (data) yield JSON.parse(data.slice('data: '.length));
    }
  }
}
