/**
 * JSON with sorted keys and without the named secret fields, so that two bodies that say the same give the same
 * HMAC and no secret is in what is hashed (DESIGN §3).
 */
export function canonicalJson(value: unknown, secrets: readonly string[] = []): string {
  return JSON.stringify(value, (name, inner: unknown) => {
    if (secrets.includes(name)) return undefined;
    return isRecord(inner) ? sorted(inner) : inner;
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
