import { failure } from '../../../deploy/native/failure.ts';
import { topics } from '../../../schemas/topics.ts';

/** Every record names its schema by the registry's number: with other numbers the log can not be read. */
export interface RegisteredSchema {
  subject: string;
  version: number;
  id: number;
  schema: string;
}

export interface RegistryCopy {
  /** Of this log. */
  schemas: RegisteredSchema[];
  /** The registry's own export (zip, base64), by which the numbers come back; null when it knows no such thing. */
  archive: string | null;
}

const limitMs = 60_000;

/** `url` is the registry's Confluent API. */
export async function copyRegistry(url: string, prefix: string): Promise<RegistryCopy> {
  return { schemas: await readSchemas(url, prefix), archive: await archiveOf(url) };
}

/** Every version of every schema of this log, each subject's in their order. */
export async function readSchemas(url: string, prefix: string): Promise<RegisteredSchema[]> {
  const schemas: RegisteredSchema[] = [];
  for (const subject of await ownSubjects(url, prefix)) {
    const address = `${url}/subjects/${encodeURIComponent(subject)}/versions`;
    for (const version of await ask<number[]>(address)) {
      const { id, schema } = await ask<RegisteredSchema>(`${address}/${version}`);
      schemas.push({ subject, version, id, schema });
    }
  }
  return schemas;
}

/**
 * Sees to it that the registry gives every schema of the copy under its number: it does, or it is empty and takes the
 * export. Says which in words. Throws a failure when it holds others.
 */
export async function bringRegistry(url: string, prefix: string, copy: RegistryCopy): Promise<string> {
  const missing = await missingOf(url, copy.schemas);
  if (missing.length === 0) return `${copy.schemas.length} schemas, under their numbers`;
  const subjects = await ownSubjects(url, prefix);
  const first = missing[0]!;
  if (subjects.length > 0 || copy.archive === null)
    throw failure(
      `The schema registry does not give ${first.subject} version ${first.version} under number ${first.id}, by which the log names it (${missing.length} such).`,
      copy.archive === null
        ? 'Bring back the registry from its own backup first.'
        : 'It was filled anew. Stop it, empty its database, start it (npx emulsion up --parts-only), then restore again.',
    );
  await importArchive(url, copy.archive);
  const still = await missingOf(url, copy.schemas);
  if (still.length > 0)
    throw failure(
      `The schema registry took the export and gives other numbers (${still.length} schemas).`,
      'Bring back the registry from its own backup.',
    );
  return `${copy.schemas.length} schemas brought back under their numbers`;
}

async function ownSubjects(url: string, prefix: string): Promise<string[]> {
  const own = topics.map((topic) => `${prefix}${topic}-`);
  const subjects = await ask<string[]>(`${url}/subjects`);
  return subjects.filter((subject) => own.some((start) => subject.startsWith(start))).sort();
}

async function missingOf(url: string, schemas: readonly RegisteredSchema[]): Promise<RegisteredSchema[]> {
  const missing: RegisteredSchema[] = [];
  for (const wanted of schemas) {
    const found = await ask<{ schema?: string }>(`${url}/schemas/ids/${wanted.id}`).catch(() => null);
    if (found?.schema !== wanted.schema) missing.push(wanted);
  }
  return missing;
}

/** Beside the Confluent API, Apicurio has one of its own. */
function ownApi(url: string): string {
  return url.replace(/\/apis\/.*$/, '/apis/registry/v3');
}

async function archiveOf(url: string): Promise<string | null> {
  const answer = await fetch(`${ownApi(url)}/admin/export`, { signal: AbortSignal.timeout(limitMs) });
  if (!answer.ok || !answer.headers.get('content-type')?.includes('zip')) return null;
  return Buffer.from(await answer.arrayBuffer()).toString('base64');
}

async function importArchive(url: string, archive: string): Promise<void> {
  const answer = await fetch(`${ownApi(url)}/admin/import`, {
    method: 'POST',
    headers: {
      'content-type': 'application/zip',
      'x-registry-preserve-globalid': 'true',
      'x-registry-preserve-contentid': 'true',
    },
    body: Buffer.from(archive, 'base64'),
    signal: AbortSignal.timeout(limitMs),
  });
  if (!answer.ok)
    throw failure(
      `The schema registry does not take the export: ${answer.status} ${await answer.text()}.`,
      'It must be empty: stop it, empty its database, start it, then restore again.',
    );
}

async function ask<T>(address: string): Promise<T> {
  const answer = await fetch(address, { signal: AbortSignal.timeout(limitMs) }).catch((error: Error) => {
    throw failure(
      `The schema registry does not answer: ${error.message}.`,
      'See what is wrong with npx emulsion doctor.',
      error,
    );
  });
  if (!answer.ok) throw new Error(`the schema registry answered ${answer.status} to ${address}`);
  return (await answer.json()) as T;
}
