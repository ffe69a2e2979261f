import { hash } from 'node:crypto';

/** A sum of row hashes modulo 2^64, as two halves: equal for equal sets of rows, in whatever order they come. */
export interface Checksum {
  rows: number;
  high: number;
  low: number;
}

const half = 2 ** 32;

export function newChecksum(): Checksum {
  return { rows: 0, high: 0, low: 0 };
}

export function addRow(sum: Checksum, row: Buffer): void {
  move(sum, row, 1);
}

export function removeRow(sum: Checksum, row: Buffer): void {
  move(sum, row, -1);
}

export function addSum(sum: Checksum, other: Checksum): void {
  sum.rows += other.rows;
  put(sum, sum.high + other.high, sum.low + other.low);
}

export function checksumText({ high, low }: Checksum): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

function move(sum: Checksum, row: Buffer, sign: 1 | -1): void {
  const digest = hash('sha256', row, 'buffer');
  sum.rows += sign;
  put(sum, sum.high + sign * digest.readUInt32BE(0), sum.low + sign * digest.readUInt32BE(4));
}

function put(sum: Checksum, high: number, low: number): void {
  const carry = Math.floor(low / half);
  sum.low = low - carry * half;
  sum.high = (((high + carry) % half) + half) % half;
}
