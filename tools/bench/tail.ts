import { closeSync, openSync, readSync } from 'node:fs';

/** Reads the lines that a process has written to its log since the last time. */
export interface Tail {
  read(): string[];
  close(): void;
}

const chunkBytes = 65_536;

export function openTail(file: string): Tail {
  const fd = openSync(file, 'r');
  const chunk = Buffer.alloc(chunkBytes);
  let begun = Buffer.alloc(0);
  return {
    read() {
      const parts = [begun];
      for (let length = readSync(fd, chunk); length > 0; length = readSync(fd, chunk))
        parts.push(Buffer.from(chunk.subarray(0, length)));
      const bytes = Buffer.concat(parts);
      const end = bytes.lastIndexOf(10) + 1;
      begun = bytes.subarray(end);
      return end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n');
    },
    close: () => closeSync(fd),
  };
}
