/** Lets work go on side by side, except for what must be alone in the process. */
export interface Gate {
  /** Beside everything else that is shared. */
  shared<T>(work: () => Promise<T>): Promise<T>;
  /** With nothing else inside; what comes meanwhile waits, so that it gets its turn. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export function openGate(): Gate {
  const waiting: { alone: boolean; go(): void }[] = [];
  let inside = 0;
  let isAlone = false;

  const letIn = (): void => {
    while (waiting[0] && !isAlone && (inside === 0 || !waiting[0].alone)) {
      const { alone, go } = waiting.shift()!;
      inside += 1;
      isAlone = alone;
      go();
    }
  };
  const enter = async <T>(alone: boolean, work: () => Promise<T>): Promise<T> => {
    await new Promise<void>((resolve) => {
      waiting.push({ alone, go: resolve });
      letIn();
    });
    try {
      return await work();
    } finally {
      inside -= 1;
      isAlone = false;
      letIn();
    }
  };
  return { shared: (work) => enter(false, work), alone: (work) => enter(true, work) };
}
