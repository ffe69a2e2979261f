/** Runs `work`, which never throws, at once and then again and again, never twice at a time. */
export function repeat(everyMs: number, work: () => Promise<void>): { stop(): Promise<void> } {
  let running: Promise<void> | null = null;
  const start = (): void => {
    running ??= work().finally(() => {
      running = null;
    });
  };
  start();
  const timer = setInterval(start, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
