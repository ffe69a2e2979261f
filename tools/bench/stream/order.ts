/** How far the frames of one socket have come, by their numbers. */
export interface Place {
  /** null: nothing has come. */
  seq: number | null;
}

/**
 * What is wrong with the next text, null when nothing is: after hello, numbers go on without a hole. A cursor is
 * inclusive, so what was had before may come once more.
 */
export function outOfOrder(place: Place, text: string): string | null {
  const { type, seq } = JSON.parse(text) as { type: string; seq: number };
  if (place.seq === null) {
    place.seq = seq;
    return type === 'hello' ? null : `it began with ${text}`;
  }
  if (type === 'error') return text;
  if (seq <= place.seq) return null;
  const expected = place.seq + 1;
  place.seq = seq;
  return seq === expected ? null : `after ${expected - 1} came ${seq}`;
}
