/** Runs a few things at a time and lets a bounded number wait for a bounded time; beyond that it refuses (DESIGN §2 rule 8). */
export interface Slots {
  /** Throws what `full` makes when too many wait already, or its turn does not come in time: then nothing was begun. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export interface SlotLimits {
  atOnce: number;
  waiting: number;
  /** Milliseconds that one waits at most. */
  withinMs: number;
}

export function openSlots(limits: SlotLimits, full: () => Error): Slots {
  const queue = new Set<() => void>();
  let busy = 0;

  const enter = (): Promise<void> => {
    if (busy < limits.atOnce) {
      busy += 1;
      return Promise.resolve();
    }
    if (queue.size >= limits.waiting) return Promise.reject(full());
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        queue.delete(begin);
        reject(full());
      }, limits.withinMs);
      queue.add(begin);
    });
  };
  // The slot goes to who waits longest without becoming free in between.
  const leave = (): void => {
    const [next] = queue;
    if (!next) busy -= 1;
    else if (queue.delete(next)) next();
  };
  return {
    async run(work) {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
