/** Where two JSON values differ, each place in a line; a bounded number of them. */
export function differencesOf(expected: unknown, actual: unknown, at = 'it'): string[] {
  if (Object.is(expected, actual)) return [];
  if (!isObject(expected) || !isObject(actual) || Array.isArray(expected) !== Array.isArray(actual))
    return [`${at} should be ${short(expected)}, is ${short(actual)}`];
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...names]
    .flatMap((name) => differencesOf(expected[name], actual[name], `${at}.${name}`))
    .slice(0, 10);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function short(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 200);
}
