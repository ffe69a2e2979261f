import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface MasterKey {
  /** AES-256-GCM under the master key; what is opened must be opened with the same aad. */
  seal(plain: Buffer, aad: string): Buffer;
  open(sealed: Buffer, aad: string): Buffer;
  /** HMAC-SHA256 under a key of its own for each purpose. */
  hmac(purpose: string, value: string | Buffer): Buffer;
}

/** The master key of a file with 32 bytes in base64. It never leaves this object. */
export function openMasterKey(file: string): MasterKey {
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== 32)
    throw new Error(`${file} must hold 32 bytes in base64: make one with \`openssl rand -base64 32\`.`);
  const purposes = new Map<string, Buffer>();
  const keyFor = (purpose: string): Buffer => {
    let derived = purposes.get(purpose);
    if (!derived) {
      derived = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `emulsion ${purpose}`, 32));
      purposes.set(purpose, derived);
    }
    return derived;
  };
  return {
    seal: (plain, aad) => sealWith(keyFor('seal'), plain, aad),
    open: (sealed, aad) => openWith(keyFor('seal'), sealed, aad),
    hmac: (purpose, value) =>
      createHmac('sha256', keyFor(`hmac ${purpose}`))
        .update(value)
        .digest(),
  };
}

const formatVersion = 1;

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
