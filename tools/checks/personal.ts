import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Check, CheckResult } from './check.ts';
import { type EventSchema, leaves, type RecordType, readEvents } from './schema-files.ts';

async function run(root: string): Promise<CheckResult> {
  const events = readEvents(root);
  const topics = knownTopics(root);
  return {
    findings: events.flatMap((event) => [...tagFindings(event), ...placeFindings(event, topics)]),
    looked: events.length,
    of: 'event schemas',
  };
}

function knownTopics(root: string): Set<string> {
  const text = readFileSync(path.join(root, 'schemas/topics.ts'), 'utf8');
  const list = /topics = \[([^\]]*)\]/.exec(text)?.[1] ?? '';
  return new Set([...list.matchAll(/'([^']+)'/g)].map((match) => match[1]!));
}

/** DESIGN §2 rule 2: every text says whether it is personal; personal is encrypted, so it is bytes and has an owner. */
function tagFindings({ file, record }: EventSchema): string[] {
  const findings: string[] = [];
  const records = new Set(record.fields.filter((field) => field.holds === 'record').map(({ name }) => name));
  for (const [field, { type, personal }] of leaves(record)) {
    const name = `${file}: ${record.name}.${field}`;
    if (type !== 'string' && type !== 'bytes') {
      if (personal) findings.push(`${name} is personal, so it must be bytes, not ${type}.`);
    } else if (typeof personal !== 'boolean') {
      findings.push(`${name} does not say whether it is personal.`);
    } else if (personal && type === 'string') {
      findings.push(`${name} is personal, so it must be bytes: a string would stand in the log in clear.`);
    } else if (!personal && type === 'bytes' && !records.has(field)) {
      findings.push(`${name} is bytes but neither personal nor a record; bytes are for what is encrypted.`);
    } else if (personal && /[.[\]]/.test(field)) {
      findings.push(`${name} is personal inside a nested record, where the codec does not encrypt.`);
    }
    if (personal && !record.owner)
      findings.push(`${name} is personal, but ${record.name} names no owner of the data key.`);
  }
  return findings;
}

/** DESIGN §3: a topic that exists, a key and an owner that are required fields of the record itself. */
function placeFindings({ file, record }: EventSchema, topics: Set<string>): string[] {
  const findings: string[] = [];
  const name = `${file}: ${record.name}`;
  if (!record.topic || !topics.has(record.topic)) {
    findings.push(
      `${name} goes to topic ${record.topic ?? '(none)'}, which schemas/topics.ts does not list.`,
    );
  }
  if (!isPlainId(record, record.key))
    findings.push(`${name} has key ${record.key ?? '(none)'}, which is not a string field of it.`);
  if (record.owner !== undefined && !isPlainId(record, record.owner)) {
    findings.push(`${name} has owner ${record.owner}, which is not a string field of it.`);
  }
  if (record.fields[0]?.name !== 'meta')
    findings.push(`${name} does not start with the envelope in a field named meta.`);
  return findings;
}

function isPlainId(record: RecordType, field: string | undefined): boolean {
  return record.fields.some((candidate) => candidate.name === field && candidate.type === 'string');
}

export const personal: Check = {
  name: 'personal',
  about: 'every text says whether it is personal, and where it goes',
  run,
};
