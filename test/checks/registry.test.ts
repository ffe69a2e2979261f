import { describe, expect, it } from 'vitest';
import { incompatibilities } from '../../tools/checks/compatibility.ts';
import { type Field, type RecordType, readEvents } from '../../tools/checks/schema-files.ts';
import { projectRoot } from './planted.ts';

const released = readEvents(projectRoot).find(({ record }) => record.name === 'PostLiked')!.record;
const subject = `check-${process.pid}-${Date.now()}-emulsion.PostLiked`;

function withField(field: Field): RecordType {
  return { ...released, fields: [...released.fields, field] };
}

const edits: Record<string, RecordType> = {
  'the same again': released,
  'a field with a default': withField({ name: 'mood', type: ['null', 'string'], default: null }),
  'a field without one': withField({ name: 'mood', type: 'string' }),
  'a field removed': { ...released, fields: released.fields.filter((field) => field.name !== 'authorId') },
  'a changed type': {
    ...released,
    fields: released.fields.map((field) => (field.name === 'authorId' ? { ...field, type: 'long' } : field)),
  },
};

function registry(method: string, path: string, body: unknown): Promise<Response> {
  return fetch(`${process.env.SCHEMA_REGISTRY_URL}${path}`, {
    method,
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify(body),
  });
}

const asked = (schema: RecordType) => ({ schema: JSON.stringify(schema), schemaType: 'AVRO' });

/** Ours is asked before anything is deployed; the registry is the one that refuses in the end. They must agree. */
describe.skipIf(!process.env.SCHEMA_REGISTRY_URL)('our compatibility check and the registry', () => {
  it.each(Object.entries(edits))('agree on %s', async (what, edited) => {
    const name = encodeURIComponent(`${subject}-${Object.keys(edits).indexOf(what)}`);
    expect((await registry('PUT', `/config/${name}`, { compatibility: 'FULL_TRANSITIVE' })).ok).toBe(true);
    expect((await registry('POST', `/subjects/${name}/versions`, asked(released))).ok).toBe(true);
    const answer = await registry('POST', `/compatibility/subjects/${name}/versions/latest`, asked(edited));
    const { is_compatible } = (await answer.json()) as { is_compatible: boolean };
    expect(is_compatible).toBe(incompatibilities(edited, released).length === 0);
    await registry('DELETE', `/subjects/${name}`, undefined);
  });
});
