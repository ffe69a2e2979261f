/** Places in the log, 8 bytes each: many records may be parked. */
export interface Places {
  has(partition: string, offset: number): boolean;
  size: number;
  /** By `topic/partition`, ascending. */
  toJson(): Record<string, number[]>;
}

export function placesOf(offsets: Record<string, number[]>): Places {
  const sorted = new Map(Object.entries(offsets).map(([id, own]) => [id, Float64Array.from(own).sort()]));
  let size = 0;
  for (const own of sorted.values()) size += own.length;
  return {
    has(partition, offset) {
      const own = sorted.get(partition);
      return own !== undefined && includes(own, offset);
    },
    size,
    toJson: () => Object.fromEntries([...sorted].map(([id, own]) => [id, [...own]])),
  };
}

function includes(sorted: Float64Array, value: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value;
}
