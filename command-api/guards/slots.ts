/** Runs a few things at a time and lets a bounded number wait; beyond that it refuses (DESIGN §2 rule 8). */
export interface Slots {
  /** Throws what `full` makes when too many wait already. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function openSlots(limits: { atOnce: number; waiting: number }, full: () => Error): Slots {
  const queue: (() => void)[] = [];
  let busy = 0;

  const enter = (): Promise<void> => {
    if (busy < limits.atOnce) {
      busy += 1;
      return Promise.resolve();
    }
    if (queue.length >= limits.waiting) return Promise.reject(full());
    return new Promise((resolve) => queue.push(resolve));
  };
  // The slot goes to who waits longest without becoming free in between.
  const leave = (): void => {
    const next = queue.shift();
    if (next) next();
    else busy -= 1;
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
