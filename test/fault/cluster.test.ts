import type { PartitionMetadata } from 'kafkajs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openHeads } from '../../platform/log/topics.ts';
import { topics } from '../../schemas/topics.ts';
import { type Brokers, startBrokers } from '../harness/brokers.ts';
import { startWorld, type World } from '../harness/world.ts';
import { expectReadiness, type Fault, liveThrough, openStage, type Stage } from './stage.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

let brokers: Brokers;
let world: World;
let stage: Stage;

beforeAll(async () => {
  // Leaders go back to a node that lives again within seconds, not minutes.
  brokers = await startBrokers(3, { settings: { 'leader.imbalance.check.interval.seconds': '5' } });
  const addresses = brokers.nodes.map(({ address }) => address).join(',');
  world = await startWorld({ env: { KAFKA_BROKERS: addresses, EMULSION_REPLICATION: '3' } });
  stage = await openStage(world);
});
afterAll(async () => {
  stage?.close();
  await world?.stop();
  await brokers?.close();
});

async function partitionsNow(): Promise<PartitionMetadata[]> {
  const admin = world.kafka.admin();
  await admin.connect();
  try {
    const names = topics.map((topic) => `${world.prefix}${topic}`);
    const found = await admin.fetchTopicMetadata({ topics: names });
    return found.topics.flatMap(({ partitions }) => partitions);
  } finally {
    await admin.disconnect();
  }
}

/** How many copies in sync the partition with the fewest has. */
async function fewestInSync(): Promise<number> {
  return Math.min(...(await partitionsNow()).map(({ isr }) => isr.length));
}

/** How many partitions are led by another node than the first that was given them. */
async function ledElsewhere(): Promise<number> {
  return (await partitionsNow()).filter(({ leader, replicas }) => leader !== replicas[0]).length;
}

async function startAgain(...killed: number[]): Promise<void> {
  await Promise.all(killed.map((n) => brokers.nodes[n]!.start()));
  await vi.waitFor(async () => expect(await fewestInSync()).toBe(3), { timeout: 60_000, interval: 500 });
}

const faults: Fault[] = [
  {
    what: 'one of three nodes is killed: writes and reads go on',
    strike: () => brokers.nodes[0]!.kill(),
    async meanwhile(load) {
      await load.goesOn('writes', 60);
      await load.goesOn('reads');
      expect(await fewestInSync()).toBe(2);
      await expectReadiness(world.services['command-api'], 'ready', []);
    },
    heal: () => startAgain(0),
  },
  {
    what: 'two of three nodes are killed: no write is taken, reads go on',
    strike: () => Promise.all([brokers.nodes[1]!.kill(), brokers.nodes[2]!.kill()]),
    async meanwhile(load) {
      await load.isRefused('outcome_unknown', 6);
      const before = load.booked.length;
      await load.isRefused('outcome_unknown', 6);
      await load.goesOn('reads');
      expect(load.booked).toHaveLength(before);
      await expectReadiness(world.services['command-api'], 'degraded', ['appends']);
    },
    heal: () => startAgain(1, 2),
  },
];

test('every topic is on three nodes, of which two must have a write', async () => {
  expect(await fewestInSync()).toBe(3);
});

test('when leaders move between nodes that all live, heads are read again within seconds', async () => {
  const heads = await openHeads(world.kafka, world.prefix, topics);
  const areRead = (timeout: number) => vi.waitFor(heads.read, { timeout, interval: 200 });
  await brokers.nodes[0]!.kill();
  await areRead(60_000);
  expect(await ledElsewhere()).toBeGreaterThan(0);
  await startAgain(0);
  await vi.waitFor(async () => expect(await ledElsewhere()).toBe(0), { timeout: 60_000, interval: 500 });
  await areRead(5_000);
  await heads.close();
});

test.each(faults)('$what', (fault) => liveThrough(stage, fault));
