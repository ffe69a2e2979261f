import { type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { currentTrace } from './trace.ts';

export type { Logger } from 'pino';

/** JSON lines: level as a word, timestamp as ISO, msg, service, and the trace id of the work under way. */
export function createLogger(service: string, level = 'info'): Logger {
  return pino({
    level,
    base: { service },
    timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"timestamp"'),
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: withoutValues },
    mixin: () => {
      const trace = currentTrace();
      return trace ? { traceId: trace.traceId } : {};
    },
    redact: {
      paths: ['password', 'token', 'accessToken', 'refreshToken', '*.password', '*.token'],
      remove: true,
    },
  });
}

/** Postgres quotes whole rows in these, personal values among them (DESIGN §2 rule 2). */
const quoting = ['detail', 'where', 'internalQuery', 'parameters'] as const;

function withoutValues(error: Error): Record<string, unknown> {
  const told = { ...stdSerializers.err(error) } as Record<string, unknown>;
  if ('severity' in error) for (const field of quoting) delete told[field];
  return told;
}
