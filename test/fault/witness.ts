import { readFileSync } from 'node:fs';
import { compile, faultOf } from '../features/document.ts';
import { type Addresses, type Client, createClient, type SeenAnswer } from '../harness/client.ts';

/** Everything that clients were answered while something was broken, held to the document. */
export interface Witness {
  /** Its `call` is what is watched. */
  api: Client;
  /** How often which code of 503 was answered. */
  refused(code: string): number;
  /** Codes of connections that may break from now on, such as ECONNREFUSED while nginx is away; none unless said. */
  forgive(codes: readonly string[]): void;
  /** What was wrong since the last time, each thing once: what the document has not, a 500, no answer at all. */
  verdict(): string[];
  /** Answers of 503 since the last time, for people. */
  tally(): string;
}

const documentFile = new URL('../../schemas/generated/openapi.json', import.meta.url);

export function openWitness(services: Addresses): Witness {
  const document = JSON.parse(readFileSync(documentFile, 'utf8'));
  const validators = compile(document);
  const client = createClient(services);
  const refused = new Map<string, number>();
  let wrong = new Set<string>();
  let told = new Map<string, number>();
  let forgiven: readonly string[] = [];

  const take = (answer: SeenAnswer): void => {
    const fault =
      answer.status === 500 ? `${answer.route?.name}: 500` : faultOf(document, answer, validators);
    if (fault) wrong.add(fault);
    if (answer.status !== 503) return;
    const { code } = answer.body as { code: string };
    for (const counts of [refused, told]) counts.set(code, (counts.get(code) ?? 0) + 1);
  };
  // Every wait of the product ends before the client's own, of 30 s: that one is a hang.
  const call: Client['call'] = async (method, path, options) => {
    try {
      return await client.call(method, path, options);
    } catch (error) {
      const code = codeOf(error as Error);
      if (!forgiven.includes(code)) wrong.add(`${method} ${path}: ${code}`);
      throw error;
    } finally {
      for (const answer of client.answers.splice(0)) take(answer);
    }
  };
  return {
    api: { ...client, call },
    refused: (code) => refused.get(code) ?? 0,
    forgive(codes) {
      forgiven = codes;
    },
    verdict() {
      const found = [...wrong];
      wrong = new Set();
      return found;
    },
    tally() {
      const said = [...told].map(([code, count]) => `${count} ${code}`).join(', ');
      told = new Map();
      return said || 'none';
    },
  };
}

function codeOf(error: Error): string {
  const { code } = (error.cause ?? {}) as { code?: string };
  return code ?? `${error.name} ${error.message}`;
}
