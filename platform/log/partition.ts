import { Partitioners } from 'kafkajs';

const partitioner = Partitioners.DefaultPartitioner();
const metadata = new Map<number, { partitionId: number; leader: number }[]>();

/**
 * The partition of a key: murmur2 as in Kafka's own clients. Part of the contract, pinned by a golden test: a key
 * that moved would have two histories.
 */
export function partitionOf(key: string, partitions: number): number {
  let partitionMetadata = metadata.get(partitions);
  if (!partitionMetadata) {
    partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({ partitionId, leader: 0 }));
    metadata.set(partitions, partitionMetadata);
  }
  return partitioner({
    topic: '',
    partitionMetadata: partitionMetadata as never,
    message: { key, value: null },
  });
}
