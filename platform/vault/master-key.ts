import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

export interface MasterKey {
  /** AES-256-GCM under the newest master key; what is opened must be opened with the same aad. */
  seal(plain: Buffer, aad: string): Buffer;
  /** Under whichever key it was sealed. */
  open(sealed: Buffer, aad: string): Buffer;
  /** HMAC-SHA256 under a key of its own for each purpose. A rotation leaves it: names and tokens must be found again. */
  hmac(purpose: string, value: string | Buffer): Buffer;
  /** The number of the newest key, from 1: what seals from now on. */
  version(): number;
}

/** Milliseconds between two looks whether the file has a newer key to seal with. */
const lookEveryMs = 1_000;
/** As many as one byte numbers. */
const mostKeys = 255;

/**
 * The master keys of a file: 32 bytes in base64 a line, the oldest first. The last one seals, all of them open, and the
 * first one is what HMACs are derived from. The file is read again when it has changed, so a rotation needs no restart:
 * for sealing within a second, for opening as soon as something is met that a newer key has sealed.
 */
export function openMasterKey(file: string): MasterKey {
  let ring = readKeys(file);
  let lookedAt = performance.now();
  const purposes = new Map<string, Buffer>();

  const lookAgain = (): void => {
    lookedAt = performance.now();
    const { modified } = ring;
    const now = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? modified;
    if (now !== modified) ring = readKeys(file);
  };
  const newest = (): number => {
    if (performance.now() - lookedAt > lookEveryMs) lookAgain();
    return ring.keys.length;
  };
  const keyOf = (version: number): Buffer => {
    if (version > ring.keys.length) lookAgain();
    const key = ring.keys[version - 1];
    if (!key)
      throw new Error(`${file} has ${ring.keys.length} keys, and this was sealed with number ${version}`);
    return key;
  };
  const keyFor = (version: number, purpose: string): Buffer => {
    const id = `${version} ${purpose}`;
    let derived = purposes.get(id);
    if (!derived) {
      derived = Buffer.from(hkdfSync('sha256', keyOf(version), Buffer.alloc(0), `emulsion ${purpose}`, 32));
      purposes.set(id, derived);
    }
    return derived;
  };
  return {
    seal(plain, aad) {
      const version = newest();
      return numbered(version, sealWith(keyFor(version, 'seal'), plain, aad));
    },
    open(sealed, aad) {
      const version = masterVersionOf(sealed);
      return openWith(keyFor(version, 'seal'), unnumbered(version, sealed), aad);
    },
    hmac: (purpose, value) =>
      createHmac('sha256', keyFor(1, `hmac ${purpose}`))
        .update(value)
        .digest(),
    version: newest,
  };
}

function readKeys(file: string): { keys: Buffer[]; modified: number } {
  const modified = statSync(file).mtimeMs;
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const keys = lines.map((line) => Buffer.from(line.trim(), 'base64'));
  if (keys.length > mostKeys || keys.some((key) => key.length !== 32))
    throw new Error(
      `${file} must hold 32 bytes in base64, one key a line: make one with \`openssl rand -base64 32\`.`,
    );
  return { keys, modified };
}

const formatVersion = 1;
/** As the format above, with the number of the master key behind the first byte; the first key needs none. */
const numberedVersion = 2;

function numbered(version: number, sealed: Buffer): Buffer {
  return version === 1
    ? sealed
    : Buffer.concat([Buffer.from([numberedVersion, version]), sealed.subarray(1)]);
}

function unnumbered(version: number, sealed: Buffer): Buffer {
  return version === 1 ? sealed : Buffer.concat([Buffer.from([formatVersion]), sealed.subarray(2)]);
}

/** Which master key has sealed this. */
export function masterVersionOf(sealed: Buffer): number {
  return sealed[0] === numberedVersion ? sealed[1]! : 1;
}

/** version (1 byte) | nonce (12) | ciphertext | tag (16) */
export function sealWith(key: Buffer, plain: Buffer, aad: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(aad));
  const body = cipher.update(plain);
  cipher.final();
  return Buffer.concat([Buffer.from([formatVersion]), nonce, body, cipher.getAuthTag()]);
}

/** Throws when the key, the aad or the bytes are not those that were sealed. */
export function openWith(key: Buffer, sealed: Buffer, aad: string): Buffer {
  if (sealed.length < 29 || sealed[0] !== formatVersion)
    throw new Error('not a sealed value of a known format');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 13))
    .setAAD(Buffer.from(aad))
    .setAuthTag(sealed.subarray(sealed.length - 16));
  const body = decipher.update(sealed.subarray(13, sealed.length - 16));
  decipher.final();
  return body;
}
