/** Says how far a phase of long work is: a bar on a terminal, a line every few seconds elsewhere. Writes to stderr. */
export interface Phase {
  step(count?: number): void;
  /** Replaces the count, for work that is measured and not counted. */
  at(done: number, total: number, note?: string): void;
  end(): void;
}

const barWidth = 24;
const redrawMs = 200;
const lineMs = 5_000;

export function startPhase(
  name: string,
  total: number,
  note = '',
  out: NodeJS.WriteStream = process.stderr,
): Phase {
  const began = performance.now();
  const state = { done: 0, total, note };
  const text = (): string => lineOf(name, state, (performance.now() - began) / 1_000);
  const draw = (): void => {
    if (out.isTTY) out.write(`\r\x1b[K${text().slice(0, (out.columns ?? 100) - 1)}`);
    else out.write(`${text()}\n`);
  };
  const timer = setInterval(draw, out.isTTY ? redrawMs : lineMs);
  return {
    step(count = 1) {
      state.done += count;
    },
    at(done, ofTotal, newNote = '') {
      Object.assign(state, { done, total: ofTotal, note: newNote });
    },
    end() {
      clearInterval(timer);
      draw();
      if (out.isTTY) out.write('\n');
    },
  };
}

function lineOf(name: string, state: { done: number; total: number; note: string }, seconds: number): string {
  const share = state.total === 0 ? 1 : Math.min(1, state.done / state.total);
  const filled = Math.round(share * barWidth);
  const rate = state.done / Math.max(seconds, 0.001);
  const left = share < 1 && rate > 0 ? `, ${Math.ceil((state.total - state.done) / rate)} s left` : '';
  const bar = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`;
  const figures = `${state.done.toLocaleString('en')}/${state.total.toLocaleString('en')}`;
  const note = state.note ? ` · ${state.note}` : '';
  return `${name.padEnd(12)} ${bar} ${figures}  ${Math.round(rate).toLocaleString('en')}/s, ${seconds.toFixed(0)} s${left}${note}`;
}
