import { ProblemError } from '../errors/problem.ts';
import { sqlState } from '../postgres/pool.ts';

/** What a consumer leans on, in the words that operators are told: `waiting for broker`. */
export type Dependency = 'broker' | 'registry' | 'redis' | 'object store' | 'postgres';

/** Node's own errors of a connection; of our clients only pg lets them through as they are. */
const connectionCode = /^(ECONN|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE)/;
const connectionMessage = /connection terminated|timeout exceeded when trying to connect|query read timeout/i;

/** Who has to come back before this error goes away by itself; null when it is nobody's outage. */
export function dependencyOf(error: Error): Dependency | null {
  const { name, message } = error;
  if (name.startsWith('KafkaJS')) return 'broker';
  if (message.startsWith('Confluent_Schema_Registry')) return 'registry';
  if (error instanceof ProblemError) return dependencyOfProblem(error);
  if (name === 'MaxRetriesPerRequestError' || name === 'ReplyError') return 'redis';
  if (/enableOfflineQueue|^Command timed out$|^Connection is closed/.test(message)) return 'redis';
  if (sqlState(error) !== undefined || connectionMessage.test(message)) return 'postgres';
  return connectionCode.test((error as NodeJS.ErrnoException).code ?? '') ? 'postgres' : null;
}

/** The object store says what lies behind it; the log has not confirmed, or is not keeping up. */
function dependencyOfProblem({ status, cause }: ProblemError): Dependency | null {
  if (status !== 503) return null;
  return cause ? 'object store' : 'broker';
}

/** For an operator: whom it waits for, if anybody, and what was said last. */
export function reasonOf(error: Error): string {
  const dependency = dependencyOf(error);
  const said = error.message || (error as NodeJS.ErrnoException).code || error.name;
  return dependency ? `waiting for ${dependency}: ${said}` : said;
}
