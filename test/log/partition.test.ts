import { describe, expect, it } from 'vitest';
import { partitionOf } from '../../platform/log/partition.ts';

/**
 * [key, murmur2 of its UTF-8 bytes, its partition of 12], as Kafka 4.3.1's own Java client answers (Utils.murmur2 and
 * BuiltInPartitioner.partitionForKey); the first six are those of Kafka's UtilsTest. A row that changes means that
 * keys have moved, and a key that moved has two histories: never edit one.
 */
const golden: [string, number, number][] = [
  ['21', -973932308, 0],
  ['foobar', -790332482, 6],
  ['a-little-bit-long-string', -985981536, 8],
  ['a-little-bit-longer-string', -1486304829, 11],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971, 5],
  ['abc', 479470107, 3],
  ['a', -1563381124, 4],
  ['ab', 316155434, 2],
  ['abcd', -1323649548, 8],
  ['Zürich', -1551140815, 1],
  ['雪', -505978368, 8],
  ['0190a000-0000-7000-8000-000000000001', 1232996759, 11],
  ['0190a000-0000-7000-8000-000000000002', 1025999286, 6],
  ['0190a000-0000-7000-8000-000000000003', -1785586230, 2],
  ['0190a000-0000-7000-8000-000000000004', -337038432, 8],
  ['0190a000-0000-7000-8000-000000000005', 558048570, 6],
  ['0190a000-0000-7000-8000-000000000006', 1990032799, 7],
  ['0190a000-0000-7000-8000-000000000007', -422779058, 6],
  ['0190a000-0000-7000-8000-000000000008', 1360196936, 8],
  ['01977f3c-5b1e-7c43-9d3a-6a0f5f1c2b4d', -90090906, 2],
  ['019b2f60-aaaa-7bbb-8ccc-0123456789ab', -1307048911, 1],
  ['019b2f60-aaaa-7bbb-8ccc-0123456789ac', 1106941250, 2],
  ['ffffffff-ffff-7fff-bfff-ffffffffffff', 712182640, 4],
];

describe('the partition of a key', () => {
  it.each(golden)('%s stays where it is', (key, _, partition) => {
    expect(partitionOf(key, 12)).toBe(partition);
  });

  // The hash is 31 bits wide; two counts without a common factor and a product beyond 2^20 show more of it than 12.
  it.each(golden)("%s goes where Kafka's Java client sends it, for other counts too", (key, murmur2) => {
    for (const partitions of [1, 4, 1021, 1024]) {
      expect(partitionOf(key, partitions)).toBe((murmur2 & 0x7fffffff) % partitions);
    }
  });

  it('is the same from call to call, whatever was asked between', () => {
    const first = golden.map(([key]) => partitionOf(key, 12));
    for (const [key] of golden) partitionOf(key, 7);
    expect(golden.map(([key]) => partitionOf(key, 12))).toEqual(first);
  });
});
