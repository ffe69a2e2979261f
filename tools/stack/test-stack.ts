import type { Environment } from '../../deploy/native/ports.ts';

/**
 * Does work that needs the servers (not the services: tests start those themselves, as many and as configured as each
 * needs): on a stack of its own, which ends with it, or at addresses that are given (EMULSION_TEST_ENV=external).
 */
export async function inTestStack<T>(
  signal: AbortSignal,
  work: (env: Environment) => Promise<T>,
): Promise<T> {
  // Addresses are given: this machine's or another's servers, not ours to start or stop.
  if (process.env.EMULSION_TEST_ENV === 'external') return work(process.env);
  const { resolvePaths } = await import('../../deploy/native/paths.ts');
  const { up } = await import('../../deploy/native/up.ts');
  const { takeDown } = await import('../../deploy/native/take-down.ts');
  const { afterServers } = await import('./steps.ts');
  const { claimPlace, endAbandoned } = await import('./test-run.ts');
  const { engineAnswers } = await import('../../deploy/native/compose.ts');
  const { repo } = resolvePaths({});
  const { env, release } = await claimPlace(repo);
  try {
    if (await engineAnswers(env)) {
      const { openReapedProject } = await import('./test-containers.ts');
      await openReapedProject(env);
    }
    const { stack } = await up({ env, partsOnly: true, afterServers: afterServers(), signal });
    return await work({ ...env, ...stack });
  } finally {
    await takeDown({ env });
    release();
    await endAbandoned(repo);
  }
}
