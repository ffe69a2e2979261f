import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { masterVersionOf, openMasterKey } from '../../platform/vault/master-key.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'emulsion-keyring-'));
const file = path.join(folder, 'master.key');
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => writeFileSync(file, key()));

const key = (): string => `${randomBytes(32).toString('base64')}\n`;
const said = Buffer.from('what was said');

it('opens what it sealed, and nothing with another aad or another key', () => {
  const master = openMasterKey(file);
  const sealed = master.seal(said, 'aad');
  expect(master.open(sealed, 'aad')).toEqual(said);
  expect(() => master.open(sealed, 'other')).toThrow();
  writeFileSync(file, key());
  expect(() => openMasterKey(file).open(sealed, 'aad')).toThrow();
});

it('with a newer key in the file seals by that, and opens both', () => {
  const before = openMasterKey(file);
  const old = before.seal(said, 'aad');
  appendFileSync(file, key());
  const after = openMasterKey(file);
  const sealed = after.seal(said, 'aad');
  expect([old, sealed].map(masterVersionOf)).toEqual([1, 2]);
  expect([old, sealed].map((one) => after.open(one, 'aad'))).toEqual([said, said]);
});

it('that was opened before takes the newer key up by itself: at once to open, soon to seal', async () => {
  const running = openMasterKey(file);
  expect(running.version()).toBe(1);
  appendFileSync(file, key());
  const sealed = openMasterKey(file).seal(said, 'aad');
  expect(running.open(sealed, 'aad')).toEqual(said);
  await vi.waitFor(() => expect(masterVersionOf(running.seal(said, 'aad'))).toBe(2), { timeout: 5_000 });
});

it('finds names again after a rotation', () => {
  const before = openMasterKey(file).hmac('claim', 'ana');
  appendFileSync(file, key());
  expect(openMasterKey(file).hmac('claim', 'ana')).toEqual(before);
});

it('says what it lacks', () => {
  const before = openMasterKey(file);
  appendFileSync(file, key());
  const sealed = openMasterKey(file).seal(said, 'aad');
  expect(before.version()).toBe(1);
  writeFileSync(file, key());
  expect(() => openMasterKey(file).open(sealed, 'aad')).toThrow(
    'has 1 keys, and this was sealed with number 2',
  );
  writeFileSync(file, 'no key');
  expect(() => openMasterKey(file)).toThrow('must hold 32 bytes in base64');
});
