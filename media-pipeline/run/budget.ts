export interface Budget {
  /** Runs the work once that much is free; first come, first served. More than the whole budget counts as all of it. */
  spend<T>(amount: number, work: () => Promise<T>): Promise<T>;
}

/** A bound on what is under way together, where one piece of work may need a hundred times another's memory. */
export function createBudget(total: number): Budget {
  const waiting: { amount: number; go(): void }[] = [];
  let free = total;

  const letIn = (): void => {
    while (waiting[0] && waiting[0].amount <= free) {
      const { amount, go } = waiting.shift()!;
      free -= amount;
      go();
    }
  };

  return {
    async spend(wanted, work) {
      const amount = Math.min(wanted, total);
      await new Promise<void>((resolve) => {
        waiting.push({ amount, go: resolve });
        letIn();
      });
      try {
        return await work();
      } finally {
        free += amount;
        letIn();
      }
    },
  };
}
