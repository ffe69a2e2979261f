import { type Logger, pino, stdTimeFunctions } from 'pino';
import { currentTrace } from './trace.ts';

export type { Logger } from 'pino';

/** JSON lines: level as a word, timestamp as ISO, msg, service, and the trace id of the work under way. */
export function createLogger(service: string, level = 'info'): Logger {
  return pino({
    level,
    base: { service },
    timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"timestamp"'),
    formatters: { level: (label) => ({ level: label }) },
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
