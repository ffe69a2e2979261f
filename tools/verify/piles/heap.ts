import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Bytes that are added at the end and read anywhere: in memory while they are few, in a file beyond. */
export interface Heap {
  /** Gives where they begin. */
  add(bytes: Buffer): number;
  /** `length` bytes of one `add`. */
  read(at: number, length: number): Buffer;
  close(): void;
}

export function openHeap(path: string, keptBytes: number): Heap {
  let memory = Buffer.alloc(0);
  let filled = 0;
  let written = 0;
  let file: number | null = null;
  const flush = (): void => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    file ??= openSync(path, 'w+', 0o600);
    writeSync(file, memory, 0, filled, written);
    written += filled;
    filled = 0;
  };
  return {
    add(bytes) {
      if (filled > 0 && filled + bytes.length > keptBytes) flush();
      if (filled + bytes.length > memory.length) {
        const larger = Buffer.allocUnsafe(Math.max(memory.length * 2, filled + bytes.length));
        memory.copy(larger, 0, 0, filled);
        memory = larger;
      }
      bytes.copy(memory, filled);
      filled += bytes.length;
      return written + filled - bytes.length;
    },
    read(at, length) {
      if (at >= written) return memory.subarray(at - written, at - written + length);
      const bytes = Buffer.allocUnsafe(length);
      readSync(file!, bytes, 0, length, at);
      return bytes;
    },
    close() {
      if (file === null) return;
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}
