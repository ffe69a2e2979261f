/** The token of an Authorization header. */
export function bearerOf(header: string): string | null {
  return header.match(/^bearer +(\S+)$/i)?.[1] ?? null;
}

/**
 * Browsers can't set headers on a WebSocket, so the token may come as a subprotocol: `emulsion, bearer.<token>`.
 * `chosen` is what we answer with: never the token, and empty when nothing else was offered.
 */
export function protocolsOf(header: string): { token: string | null; chosen: string } {
  const offered = header.split(',').map((name) => name.trim());
  const carrier = offered.find((name) => name.startsWith('bearer.'));
  return {
    token: carrier?.slice('bearer.'.length) ?? null,
    chosen: offered.includes('emulsion') ? 'emulsion' : '',
  };
}
