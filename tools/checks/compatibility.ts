import avro from 'avsc';
import { leaves, type RecordType } from './schema-files.ts';

/**
 * Why `current` may not follow `released`: neither may fail to read what the other wrote (FULL_TRANSITIVE, when asked
 * against every released version), and what Avro would let pass but we may not change stays as it was.
 */
export function incompatibilities(current: RecordType, released: RecordType): string[] {
  return [
    ...readProblems(current, released),
    ...readProblems(released, current, true),
    ...fixedProblems(current, released),
  ];
}

function readProblems(reader: RecordType, writer: RecordType, forward = false): string[] {
  try {
    avroType(reader).createResolver(avroType(writer));
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [
      forward
        ? `the released version can't read the new one: ${reason}`
        : `it can't read the released one: ${reason}`,
    ];
  }
}

function avroType(record: RecordType): avro.Type {
  return avro.Type.forSchema(record as unknown as avro.Schema, { noAnonymousTypes: true });
}

/** Avro resolves bytes and string into each other; a personal tag, key or owner is nothing it knows of. */
function fixedProblems(current: RecordType, released: RecordType): string[] {
  const problems: string[] = [];
  for (const attribute of ['topic', 'key', 'owner'] as const) {
    if (current[attribute] === released[attribute]) continue;
    problems.push(
      `${attribute} was ${released[attribute] ?? '(none)'} and is ${current[attribute] ?? '(none)'}`,
    );
  }
  const now = leaves(current);
  for (const [field, was] of leaves(released)) {
    const is = now.get(field);
    if (!is) continue;
    if (is.type !== was.type)
      problems.push(`${field} was ${was.type} and is ${is.type}; a changed type needs a new field`);
    if (is.personal !== was.personal) {
      problems.push(
        `${field} was personal: ${was.personal} and is personal: ${is.personal}; a changed tag needs a new field`,
      );
    }
  }
  return problems;
}
