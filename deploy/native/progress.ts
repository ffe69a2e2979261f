/** Says what happens to which part. One line an event; on a terminal also one moving line of what is still awaited. */
export type Progress = {
  /** A thing that happened: stays on the screen. */
  event(part: string, text: string): void;
  /** What a part is busy with now; undefined when it is done. */
  busy(part: string, text: string | undefined): void;
  /** Removes the moving line. */
  end(): void;
};

export function createProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  const started = Date.now();
  const pending = new Map<string, string>();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)}s`.padStart(7);
  const line = (part: string, text: string) => out.write(`${seconds()}  ${part.padEnd(14)} ${text}\n`);
  if (!out.isTTY) {
    return {
      event: line,
      busy: (part, text) => {
        if (text) line(part, text);
      },
      end: () => {},
    };
  }
  const clear = () => out.write('\r\x1b[K');
  const draw = () => {
    clear();
    if (pending.size === 0) return;
    const text = `${seconds()}  ${[...pending].map(([part, what]) => `${part}: ${what}`).join(' · ')}`;
    out.write(text.slice(0, Math.max(20, (out.columns || 100) - 1)));
  };
  const timer = setInterval(draw, 200).unref();
  return {
    event: (part, text) => {
      clear();
      line(part, text);
      draw();
    },
    busy: (part, text) => {
      if (text) pending.set(part, text);
      else pending.delete(part);
      draw();
    },
    end: () => {
      clearInterval(timer);
      clear();
    },
  };
}

/** For callers that want no output. */
export const silent: Progress = { event: () => {}, busy: () => {}, end: () => {} };
