import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

export interface PublicKey {
  kid: string;
  jwk: JsonWebKey;
}

/** An unknown kid asks for the keys again, but not more often than this: anybody can make kids up. */
const askAgainMs = 5_000;

/** Public keys by kid, loaded when an unknown one turns up. */
export function createKeyStore(load: () => Promise<PublicKey[]>): (kid: string) => Promise<KeyObject | null> {
  let keys = new Map<string, KeyObject>();
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;

  const ask = async (): Promise<void> => {
    try {
      const found = await load();
      keys = new Map(found.map(({ kid, jwk }) => [kid, createPublicKey({ key: jwk, format: 'jwk' })]));
      askedAt = performance.now();
    } finally {
      asking = null;
    }
  };
  return async (kid) => {
    const known = keys.get(kid);
    if (known) return known;
    if (performance.now() - askedAt < askAgainMs) return null;
    asking ??= ask();
    await asking;
    return keys.get(kid) ?? null;
  };
}
