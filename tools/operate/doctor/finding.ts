/** One line of `emulsion doctor`. */
export interface Finding {
  area: string;
  /** wrong: something does not work or will be lost; warn: it works, and somebody should look. */
  level: 'ok' | 'warn' | 'wrong';
  what: string;
  /** What to do; null when nothing is to be done. */
  remedy: string | null;
}

export type Found = Omit<Finding, 'area'>;

export function ok(what: string): Found {
  return { level: 'ok', what, remedy: null };
}

export function warn(what: string, remedy: string): Found {
  return { level: 'warn', what, remedy };
}

export function wrong(what: string, remedy: string): Found {
  return { level: 'wrong', what, remedy };
}

/** The message of an error, or its code when it has none: a refused connection of several addresses says nothing. */
export function messageOf(error: unknown): string {
  const { message, code, name } = error as Error & { code?: string };
  return message || code || name;
}
