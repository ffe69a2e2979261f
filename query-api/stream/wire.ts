/** A frame on its way: what is decided by, and the text that is sent as it is. */
export interface WireFrame {
  seq: number;
  /** A type that this node does not know yet is passed on to readers without a filter. */
  type: string;
  traceId: string;
  data: Record<string, unknown>;
  text: string;
}

/** Reads a published frame. null when it is none: history has the true one. */
export function wireFrame(text: string): WireFrame | null {
  try {
    const { seq, type, traceId, data } = JSON.parse(text);
    if (!Number.isSafeInteger(seq) || seq < 1 || typeof type !== 'string') return null;
    return { seq, type, traceId: String(traceId ?? ''), data: data ?? {}, text };
  } catch {
    return null;
  }
}

/** A frame from its stored payload, with the number of its row. */
export function wireFrameOf(seq: number, payload: Record<string, unknown>): WireFrame {
  const { type, time, traceId, data } = payload;
  const text = JSON.stringify({ seq, type, time, traceId, data });
  return {
    seq,
    type: String(type),
    traceId: String(traceId ?? ''),
    data: (data ?? {}) as Record<string, unknown>,
    text,
  };
}
