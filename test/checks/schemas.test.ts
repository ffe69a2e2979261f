import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { migrationFindings } from '../../tools/checks/migrations.ts';
import { personal } from '../../tools/checks/personal.ts';
import { releaseSchemas } from '../../tools/checks/release.ts';
import { releaseFindings } from '../../tools/checks/released.ts';
import { plantedCopy } from './planted.ts';

const likes = 'schemas/content/like.avsc';
const users = 'schemas/account/user.avsc';
let copy: ReturnType<typeof plantedCopy>;

afterEach(() => copy.remove());

/** A copy where all is released as it stands. */
function releasedCopy(): void {
  copy = plantedCopy({});
  expect(releaseSchemas(copy.root).findings).toEqual([]);
}

function edit(file: string, change: (text: string) => string): void {
  const target = path.join(copy.root, file);
  const before = readFileSync(target, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(target, after);
}

const likerId = '{ "name": "likerId", "type": "string", "personal": false }';

describe('released schemas', () => {
  it.each<[what: string, file: string, change: (text: string) => string, why: RegExp]>([
    [
      'a changed type',
      likes,
      (t) => t.replace(likerId, '{ "name": "likerId", "type": "long" }'),
      /likerId was string and is long/,
    ],
    [
      'a new field without a default',
      likes,
      (t) => t.replace(likerId, `${likerId}, { "name": "mood", "type": "string", "personal": false }`),
      /can't read the released one: .*mood/,
    ],
    [
      'a removed field without a default',
      likes,
      (t) => t.replace(`${likerId},`, ''),
      /can't read the new one: .*likerId/,
    ],
    [
      'a renamed record',
      likes,
      (t) => t.replace('"PostLiked"', '"PostHearted"'),
      /like-events-emulsion.PostLiked was released, but/,
    ],
    [
      'bytes that become a string',
      users,
      (t) => t.replace('"bytes", "personal": true', '"string", "personal": false'),
      /changed tag needs/,
    ],
    [
      'another key',
      likes,
      (t) => t.replace('"key": "likerId"', '"key": "postId"'),
      /key was likerId and is postId/,
    ],
    [
      'another topic',
      likes,
      (t) => t.replace('"topic": "like-events"', '"topic": "post-events"'),
      /was released, but/,
    ],
  ])('refuse %s', (_what, file, change, why) => {
    releasedCopy();
    edit(file, change);
    expect(releaseFindings(copy.root).join('\n')).toMatch(why);
    expect(releaseSchemas(copy.root).written).toEqual([]);
  });

  it('take a new field with a default, as the next version', () => {
    releasedCopy();
    edit(likes, (text) =>
      text.replace(
        likerId,
        `${likerId}, { "name": "mood", "type": ["null", "string"], "default": null, "personal": false }`,
      ),
    );
    expect(releaseFindings(copy.root)).toEqual([]);
    const { written } = releaseSchemas(copy.root);
    expect(written.filter((file) => file.endsWith('.avsc'))).toHaveLength(1);
    expect(written[0]).toMatch(/^schemas\/released\/like-events-emulsion\.PostLiked\/v\d+\.avsc$/);
  });

  it('hold against every released version, not only the newest', () => {
    releasedCopy();
    const optional = '{ "name": "mood", "type": ["null", "string"], "default": null, "personal": false }';
    edit(likes, (text) => text.replace(likerId, `${likerId}, ${optional}`));
    releaseSchemas(copy.root);
    edit(likes, (text) => text.replace(`, ${optional}`, ''));
    releaseSchemas(copy.root);
    edit(likes, (text) =>
      text.replace(likerId, `${likerId}, { "name": "mood", "type": "int", "default": 0 }`),
    );
    expect(releaseFindings(copy.root).join('\n')).toMatch(/mood was string and is int/);
  });
});

describe('released migrations', () => {
  const first = 'schemas/migrations/engine/001_engine.sql';

  it('may not be edited', () => {
    releasedCopy();
    edit(first, (text) => `${text}\n-- edited\n`);
    expect(migrationFindings(copy.root)).toEqual([
      expect.stringMatching(/001_engine.sql was released and has changed/),
    ]);
  });

  it('are numbered without holes', () => {
    copy = plantedCopy({ 'schemas/migrations/engine/009_later.sql': 'SELECT 1;' });
    expect(migrationFindings(copy.root).join('\n')).toMatch(/009_later.sql should be number 00\d/);
  });
});

describe('personal tags', () => {
  it.each<[what: string, change: (text: string) => string, why: RegExp]>([
    [
      'a string without a tag',
      (t) => t.replace('"type": "string", "personal": false', '"type": "string"'),
      /does not say whether/,
    ],
    [
      'a personal string',
      (t) => t.replace('"bytes", "personal": true', '"string", "personal": true'),
      /must be bytes/,
    ],
    [
      'bytes that are not personal',
      (t) => t.replace('"bytes", "personal": true', '"bytes", "personal": false'),
      /neither personal nor a record/,
    ],
    ['personal fields without an owner', (t) => t.replace(', "owner": "userId"', ''), /names no owner/],
    ['a topic that is not listed', (t) => t.replace('user-events', 'people-events'), /does not list/],
    [
      'a key that is no field',
      (t) => t.replace('"key": "userId"', '"key": "personId"'),
      /not a string field/,
    ],
  ])('refuse %s', async (_what, change, why) => {
    copy = plantedCopy({});
    edit(users, change);
    expect((await personal.run(copy.root)).findings.join('\n')).toMatch(why);
  });

  it('are right as they stand', async () => {
    copy = plantedCopy({});
    expect((await personal.run(copy.root)).findings).toEqual([]);
  });
});
