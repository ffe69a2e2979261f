import { resolvePaths } from '../../../deploy/native/paths.ts';
import { resolvePorts } from '../../../deploy/native/ports.ts';
import { running } from '../../../deploy/native/process.ts';
import { parts } from '../../../deploy/parts.ts';
import { type Found, messageOf, ok, warn, wrong } from './finding.ts';

export interface Target {
  name: string;
  url: string;
}

const limitMs = 3_000;

/** Our own processes that this home has started. */
export function startedServices(env: Record<string, string | undefined>): Target[] {
  const paths = resolvePaths(env);
  const ports = resolvePorts(env);
  return parts
    .filter(({ kind, name }) => kind === 'service' && running(paths, name) !== undefined)
    .map(({ name, ports: [port] }) => ({ name, url: `http://127.0.0.1:${ports[port!.key]}` }));
}

/** What each of them says of itself. */
export async function checkServices(targets: readonly Target[]): Promise<Found[]> {
  if (targets.length === 0)
    return [
      warn(
        'none was started from this home',
        'Start them with npx emulsion up; where they run elsewhere, ask their /readyz there.',
      ),
    ];
  return Promise.all(targets.map(checkService));
}

interface Readiness {
  status: string;
  checks: { name: string; ok: boolean; detail?: string }[];
}

async function checkService({ name, url }: Target): Promise<Found> {
  const remedy = `emulsion status says where ${name} logs.`;
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(limitMs) });
    const { status, checks } = (await answer.json()) as Readiness;
    const failed = checks
      .filter(({ ok }) => !ok)
      .map((check) => `${check.name} (${check.detail ?? 'not well'})`);
    if (!answer.ok) return wrong(`${name} is ${status}: ${failed.join(', ')}`, remedy);
    return failed.length > 0
      ? warn(`${name} is ${status}: ${failed.join(', ')}`, remedy)
      : ok(`${name} is ${status}`);
  } catch (error) {
    return wrong(`${name} does not answer: ${messageOf((error as Error).cause ?? error)}`, remedy);
  }
}
