import { createLogger, type Logger } from '../telemetry/logger.ts';
import { type Config, readConfig } from './config.ts';

export interface Running {
  close(): Promise<void>;
}

/** Milliseconds a process gets to close in order before it is ended. */
const closeLimitMs = 10_000;

/**
 * The main loop of every service: configuration in, start, close in order on SIGTERM or SIGINT. What nobody caught
 * ends the process, because a half-working one is worse than a restarted one.
 */
export function runMain(name: string, start: (config: Config, log: Logger) => Promise<Running>): void {
  let config: Config;
  try {
    config = readConfig();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
  const log = createLogger(name, config.logLevel);
  let running: Running | null = null;
  let closing = false;

  const end = async (code: number): Promise<void> => {
    if (closing) return;
    closing = true;
    setTimeout(() => process.exit(code || 1), closeLimitMs).unref();
    await running?.close().catch((error) => log.error({ err: error }, 'closing failed'));
    process.exit(code);
  };
  const die = (error: unknown): void => {
    log.fatal({ err: error }, 'unexpected error, the process ends');
    void end(1);
  };

  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'stopping');
      void end(0);
    });
  }
  start(config, log).then((started) => {
    running = started;
    log.info({ pid: process.pid }, 'started');
  }, die);
}
