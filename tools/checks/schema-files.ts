import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The parts of an Avro schema, with our own attributes (DESIGN §2 rule 2, §3). */
export interface Field {
  name: string;
  type: AvroType;
  default?: unknown;
  personal?: boolean;
  /** Bytes that are a whole record of the log: what is personal in it is encrypted there. */
  holds?: 'record';
}
export interface RecordType {
  type: 'record';
  name: string;
  namespace?: string;
  topic?: string;
  key?: string;
  owner?: string;
  fields: Field[];
}
export type AvroType =
  | string
  | AvroType[]
  | RecordType
  | { type: string; items?: AvroType; values?: AvroType };

export interface EventSchema {
  file: string;
  record: RecordType;
}

/** Every event of schemas/<domain>/*.avsc, the envelope and the other named records it uses written out in place. */
export function readEvents(root: string): EventSchema[] {
  const envelope = JSON.parse(readFileSync(path.join(root, 'schemas/envelope.avsc'), 'utf8')) as RecordType;
  const files = globSync('schemas/*/*.avsc', { cwd: root, exclude: ['schemas/released/**'] }).sort();
  return files.flatMap((file) => {
    const records = JSON.parse(readFileSync(path.join(root, file), 'utf8')) as RecordType[];
    return records.map((record) => ({ file, record: withEnvelope(record, envelope) }));
  });
}

function withEnvelope(record: RecordType, envelope: RecordType): RecordType {
  const fields = record.fields.map((field) =>
    field.type === 'emulsion.Envelope' ? { ...field, type: envelope } : field,
  );
  return { ...record, fields };
}

/** TopicRecordNameStrategy, without the prefix of an installation. */
export function subjectOf(record: RecordType): string {
  return `${record.topic}-${record.namespace ?? 'emulsion'}.${record.name}`;
}

/** The released versions of a subject, oldest first. */
export function releasedVersions(root: string, subject: string): { version: number; record: RecordType }[] {
  const folder = path.join(root, 'schemas/released', subject);
  if (!existsSync(folder)) return [];
  return globSync('v*.avsc', { cwd: folder })
    .map((file) => ({
      version: Number(file.slice(1, -'.avsc'.length)),
      record: JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as RecordType,
    }))
    .sort((a, b) => a.version - b.version);
}

export function releasedSubjects(root: string): string[] {
  return globSync('schemas/released/*/', { cwd: root })
    .map((folder) => path.basename(folder))
    .sort();
}

/** The plain type of every leaf by its path, such as `variants[].objectKey → string`, with its personal tag. */
export function leaves(
  record: RecordType,
  prefix = '',
): Map<string, { type: string; personal: boolean | undefined }> {
  const found = new Map<string, { type: string; personal: boolean | undefined }>();
  for (const field of record.fields) addLeaf(found, `${prefix}${field.name}`, field.type, field.personal);
  return found;
}

function addLeaf(
  found: Map<string, { type: string; personal: boolean | undefined }>,
  at: string,
  type: AvroType,
  personal: boolean | undefined,
): void {
  if (typeof type === 'string') {
    found.set(at, { type, personal });
  } else if (Array.isArray(type)) {
    const branches = type.filter((branch) => branch !== 'null');
    for (const branch of branches)
      addLeaf(found, branches.length > 1 ? `${at}|${JSON.stringify(branch)}` : at, branch, personal);
  } else if (type.type === 'record') {
    for (const [path, leaf] of leaves(type as RecordType, `${at}.`)) found.set(path, leaf);
  } else if (type.type === 'array' || type.type === 'map') {
    const inner = type as { items?: AvroType; values?: AvroType };
    addLeaf(found, `${at}[]`, inner.items ?? inner.values!, personal);
  } else {
    addLeaf(found, at, type.type, personal);
  }
}
