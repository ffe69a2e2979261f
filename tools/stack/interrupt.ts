import { failure } from '../../deploy/native/failure.ts';

/**
 * Runs work that can be cut short by Ctrl-C or SIGTERM: its signal aborts, and the work cleans up and rejects.
 * A second Ctrl-C is taken in silence: the cleaning up is under way and must not be cut short itself.
 */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = () => controller.abort(failure('Interrupted.', 'Run the command again when you like.'));
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
