import { eventCatalog } from '../../../schemas/generated/events.ts';
import { type Found, messageOf, ok, wrong } from './finding.ts';
import type { Patient } from './patient.ts';

const limitMs = 4_000;
const atOnce = 8;

/** Whether schemas are there, held to FULL_TRANSITIVE, and kept over a restart. */
export async function checkRegistry({ config }: Patient): Promise<Found[]> {
  try {
    await get(`${config.registryUrl}/schemas/types`);
  } catch (error) {
    return [
      wrong(
        `${config.registryUrl} does not answer: ${messageOf(error)}`,
        'Start it (npx emulsion up), or correct SCHEMA_REGISTRY_URL. Running services have their schemas; new ones do not start.',
      ),
    ];
  }
  return [
    await checkStorage(config.registryUrl),
    ...(await checkSubjects(config.registryUrl, config.prefix)),
  ];
}

/** Apicurio names what it keeps its schemas in; others do not. */
async function checkStorage(registryUrl: string): Promise<Found> {
  const info = await get(new URL('/apis/registry/v3/system/info', registryUrl).href).catch(() => null);
  const { name, version } = (info ?? {}) as { name?: string; version?: string };
  if (!name) return ok('answers');
  if (/memory/i.test(name))
    return wrong(
      `${name} ${version}: it forgets every schema when it restarts`,
      'Set APICURIO_STORAGE_KIND=sql and its data source, then npx emulsion up registers the schemas again.',
    );
  return ok(`${name} ${version}`);
}

async function checkSubjects(registryUrl: string, prefix: string): Promise<Found[]> {
  const subjects = Object.values(eventCatalog).map(({ topic, schema }) => {
    const { namespace, name } = schema as { namespace: string; name: string };
    return `${prefix}${topic}-${namespace}.${name}`;
  });
  const levels = new Map<string, string | null>();
  for (let from = 0; from < subjects.length; from += atOnce)
    await Promise.all(
      subjects.slice(from, from + atOnce).map(async (subject) => {
        levels.set(subject, await levelOf(registryUrl, subject));
      }),
    );
  const unknown = subjects.filter((subject) => levels.get(subject) === null);
  const loose = subjects.filter(
    (subject) => ![null, 'FULL_TRANSITIVE'].includes(levels.get(subject) ?? null),
  );
  const found: Found[] = [];
  if (unknown.length > 0)
    found.push(
      wrong(
        `not registered under a level: ${shortened(unknown)}`,
        'Register them before a service of this release starts: npx emulsion up.',
      ),
    );
  if (loose.length > 0)
    found.push(
      wrong(
        `${shortened(loose)} may change in ways that old records can't be read by`,
        'Set FULL_TRANSITIVE again: npx emulsion up does.',
      ),
    );
  if (found.length === 0) found.push(ok(`${subjects.length} subjects at FULL_TRANSITIVE`));
  return found;
}

/** null: nothing is known of the subject. */
async function levelOf(registryUrl: string, subject: string): Promise<string | null> {
  const answer = await fetch(`${registryUrl}/config/${encodeURIComponent(subject)}`, {
    signal: AbortSignal.timeout(limitMs),
  });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${subject}: status ${answer.status}`);
  return ((await answer.json()) as { compatibilityLevel: string }).compatibilityLevel;
}

async function get(url: string): Promise<unknown> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(limitMs) }).catch((error: Error) => {
    throw (error.cause as Error | undefined) ?? error;
  });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}

function shortened(names: readonly string[]): string {
  const rest = names.length - 3;
  return `${names.slice(0, 3).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
