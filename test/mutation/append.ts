// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is planted is code

import type { Mutant } from './mutant.ts';

const appender = 'platform/log/appender.ts';
const lost = 'test/fault/lost-response.test.ts';
const codecTest = 'test/log/codec.test.ts';
const registration = 'test/account/registration.test.ts';
const guards = 'test/command/guards.test.ts';

/** How an event comes into the log (DESIGN §2 rules 2 and 7, §4). */
export const appendMutants: readonly Mutant[] = [
  {
    name: 'unknown-outcome-acknowledged',
    file: appender,
    find: 'for (const item of current) item.reject(outcomeUnknown());',
    replace:
      'for (const item of current)\n        item.resolve({ topic: item.record.topic, partition: item.partition, offset: 0n });',
    why: 'rule 7: a write that the broker may not have is answered as done',
    tests: [lost],
  },
  {
    name: 'acknowledged-before-the-broker',
    file: appender,
    find: '        sending ??= drain();\n',
    replace:
      '        sending ??= drain();\n        done(resolve)({ topic: record.topic, partition, offset: 0n });\n',
    why: 'rule 7: the answer does not wait for the broker',
    tests: [lost],
  },
  {
    name: 'producer-idempotent',
    file: appender,
    find: 'idempotent: false,',
    replace: 'idempotent: true,',
    why: '§4: kafkajs loses acknowledged records in that mode when a response is lost',
    tests: [lost],
  },
  {
    name: 'positions-of-a-batch-all-the-same',
    file: appender,
    find: '    next.set(id, offset + 1n);\n',
    replace: '',
    why: '§5: X-Position names the record of somebody else, and a wait for it ends too early',
    tests: [lost],
  },
  {
    name: 'overtaken-within-a-partition',
    file: appender,
    find: '(fits ? taken : left).push(item);',
    replace: '(fits ? taken : left).unshift(item);',
    why: "§3: one row's history is one partition's order",
    tests: [lost],
  },
  {
    name: 'oversized-record-gathered',
    file: appender,
    find: 'if (record.value.length > maxValueBytes) return',
    replace: 'if (record.value.length > maxValueBytes * 10) return',
    why: '§4: one record that is too large fails those that it was gathered with',
    tests: [lost],
  },
  {
    name: 'crowd-without-bound',
    file: appender,
    find: 'if (closed || waiting.length >= maxWaiting) return',
    replace: 'if (closed) return',
    why: 'rule 8: records wait without a bound',
    tests: [lost],
  },
  {
    name: 'partitioner-changed',
    file: 'platform/log/partition.ts',
    find: 'Partitioners.DefaultPartitioner()',
    replace: 'Partitioners.LegacyPartitioner()',
    why: '§3: keys move to other partitions, and have two histories',
    tests: ['test/log/partition.test.ts'],
  },
  {
    name: 'ciphertext-fits-any-field',
    file: 'platform/log/codec.ts',
    find: 'record[field] = sealWith(dataKey, Buffer.from(fields[field] as string), `${event.meta.id}.${field}`);',
    replace: 'record[field] = sealWith(dataKey, Buffer.from(fields[field] as string), event.meta.id);',
    also: [
      {
        find: 'openField(key, sealedText, `${sealed.meta.id}.${field}`)',
        replace: 'openField(key, sealedText, sealed.meta.id)',
      },
    ],
    why: 'rule 2: an email address can be moved into the field of the bio, and is shown',
    tests: [codecTest],
  },
  {
    name: 'ciphertext-fits-any-event',
    file: 'platform/log/codec.ts',
    find: 'record[field] = sealWith(dataKey, Buffer.from(fields[field] as string), `${event.meta.id}.${field}`);',
    replace: 'record[field] = sealWith(dataKey, Buffer.from(fields[field] as string), field);',
    also: [
      {
        find: 'openField(key, sealedText, `${sealed.meta.id}.${field}`)',
        replace: 'openField(key, sealedText, field)',
      },
    ],
    why: 'rule 2: a text of one event can be moved into another of the same owner',
    tests: [codecTest],
  },
  {
    name: 'trailing-bytes-taken',
    file: 'platform/log/codec.ts',
    find: "if (offset !== value.length) throw new Error(offset < 0 ? 'truncated' : 'trailing data');",
    replace: '',
    why: 'rule 6: a record that is not what was written is applied',
    tests: [codecTest],
  },
  {
    name: 'relayed-before-it-is-appended',
    file: 'command-api/append/relay.ts',
    find: "    crashPoint('relay.before-append');\n",
    replace:
      "    await pool.query('UPDATE vault.outbox SET relayed_at = now(), partition = 0, \"offset\" = 0 WHERE relayed_at IS NULL');\n    crashPoint('relay.before-append');\n",
    why: 'rule 7: who dies in between has an account without an event',
    tests: [registration],
  },
  {
    name: 'failed-append-marked',
    file: 'command-api/append/relay.ts',
    find: 'relayed.push([row, await appender.append(row.record)]);',
    replace:
      'relayed.push([row, await appender.append(row.record).catch(() => ({ topic: row.record.topic, partition: 0, offset: 0n }))]);',
    why: 'rule 7: an event that the broker refused counts as being in the log',
    tests: ['test/account/relay.test.ts'],
  },
  {
    name: 'relays-side-by-side',
    file: 'command-api/append/outbox.ts',
    find: "  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('emulsion outbox relay', 0))`);\n",
    replace: '',
    why: '§4: two relays append the events of one key in any order',
    tests: ['test/account/relay.test.ts'],
  },
  {
    name: 'claim-without-its-event',
    file: 'command-api/account/register.ts',
    find: 'await insertOutbox(client, event.meta.id, shell.codec.encode(event, dataKey));',
    replace: 'await insertOutbox(shell.pool as never, event.meta.id, shell.codec.encode(event, dataKey));',
    why: '§4: claim and event are not one transaction: one may be there without the other',
    tests: [registration],
  },
  {
    name: 'half-a-claim-kept',
    file: 'command-api/account/register.ts',
    find: 'if ((await takeClaims(client, claims, userId)) !== claims.length) throw new Taken();',
    replace: 'if ((await takeClaims(client, claims, userId)) === 0) throw new Taken();',
    why: '§4: two accounts have one name when their email addresses differ',
    tests: [registration],
  },
  {
    name: 'names-not-folded',
    file: 'command-api/account/claims.ts',
    find: "master.hmac('claim username', foldUsername(username))",
    replace: "master.hmac('claim username', foldUsername(username) && username)",
    why: '§4: Ana and ana are two accounts',
    tests: [registration],
  },
  {
    name: 'repeat-mints-anew',
    file: 'command-api/guards/once.ts',
    find: 'const answer = await execute(begun.minted, begun.decided);',
    replace: 'const answer = await execute(mint, begun.decided);',
    why: 'rule 7: a repeat whose answer is not known appends another event',
    tests: ['test/command/once.test.ts'],
  },
  {
    name: 'repeat-decides-anew',
    file: 'command-api/guards/once.ts',
    find: 'const answer = await execute(begun.minted, begun.decided);',
    replace: 'const answer = await execute(begun.minted, decided?.outcome === "decided" ? decided : null);',
    why: 'rule 7: two requests under one key append two different events under one id',
    tests: ['test/command/free.test.ts'],
  },
  {
    name: 'kept-decision-for-ever',
    file: 'command-api/append/free.ts',
    find: 'const isStale = mint.time - minted.time > underWayMs && ',
    replace: 'const isStale = mint.time < 0 && ',
    why: '§3: a follow kept back by an outage opens an account that was made private since',
    tests: ['test/command/free.test.ts'],
  },
  {
    name: 'body-not-compared',
    file: 'command-api/guards/idempotency.ts',
    find: "  if (!row.body_hmac.equals(bodyHmac)) return { state: 'reused' };\n",
    replace: '',
    why: '§3: another request under the same key gets the answer of the first',
    tests: ['test/command/once.test.ts'],
  },
  {
    name: 'answer-not-kept',
    file: 'command-api/guards/once.ts',
    find: 'const kept = await idempotency.settle(key, answer).catch(() => answer);',
    replace: 'const kept = answer;',
    why: '§3: a repeat is run again, and may be answered otherwise',
    tests: ['test/command/once.test.ts'],
  },
  {
    name: 'refusal-over-an-acceptance',
    file: 'command-api/guards/idempotency.ts',
    find: 'AND (answer IS NULL OR $5)`',
    replace: 'AND (answer IS NULL OR $5 OR true)`',
    why: '§3: of two tries at once one made the thing, and repeats are told that it was refused',
    tests: ['test/command/once.test.ts'],
  },
  {
    name: 'time-behind-the-token',
    file: 'command-api/append/clock.ts',
    find: '(position?.time ?? 0) + 1, ',
    replace: '',
    why: '§3: a later act loses to an earlier one by clock skew',
    tests: [guards],
  },
  {
    name: 'time-behind-the-state',
    file: 'command-api/append/clock.ts',
    find: ', newestSeen + 1)',
    replace: ', newestSeen)',
    why: '§3: a later act has the time of what it answers to',
    tests: [guards],
  },
];
