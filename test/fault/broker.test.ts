import { afterAll, beforeAll, test, vi } from 'vitest';
import { createRandom } from '../../tools/load/random.ts';
import { type Broker, type Brokers, startBrokers } from '../harness/brokers.ts';
import { openSmallDisk, type SmallDisk } from '../harness/disk.ts';
import { dealtFaults, type KafkaProxy, openKafkaProxy } from '../harness/proxy.ts';
import { startWorld, type World } from '../harness/world.ts';
import type { Load } from './load.ts';
import { expectReadiness, type Fault, liveThrough, openStage, type Stage } from './stage.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });
/** Mebibytes: room for all that these tests write, and soon full. */
const roomy = 256;

let disk: SmallDisk | null = null;
let noDisk = '';
let proxy: KafkaProxy;
let brokers: Brokers;
let broker: Broker;
let world: World;
let stage: Stage;

beforeAll(async () => {
  disk = await openSmallDisk(roomy).catch((error: Error) => {
    noDisk = error.message;
    return null;
  });
  brokers = await startBrokers(1, {
    ...(disk && { disk }),
    async before(address) {
      proxy = await openKafkaProxy(address);
      return proxy.address;
    },
  });
  broker = brokers.nodes[0]!;
  world = await startWorld({ env: { KAFKA_BROKERS: proxy.address } });
  stage = await openStage(world);
});
afterAll(async () => {
  stage?.close();
  await world?.stop();
  await brokers?.close();
  await proxy?.close();
  disk?.close();
});

/** Nothing is taken, and everybody is told so; what was taken before can be read. */
async function writesAreRefused(load: Load): Promise<void> {
  const { services } = world;
  await load.isRefused('outcome_unknown');
  await load.goesOn('reads');
  await expectReadiness(services['command-api'], 'unavailable', ['kafka']);
}

async function allGoesOn(load: Load): Promise<void> {
  await load.goesOn('writes');
  await load.goesOn('reads');
}

const faults: Fault[] = [
  {
    what: 'the broker is frozen',
    strike: async () => broker.signal('SIGSTOP'),
    meanwhile: writesAreRefused,
    heal: async () => broker.signal('SIGCONT'),
  },
  {
    what: 'the broker is killed, and started again',
    strike: () => broker.kill(),
    meanwhile: writesAreRefused,
    heal: () => broker.start(),
  },
  {
    what: 'the broker is slow',
    async strike() {
      proxy.delayMs = 300;
    },
    meanwhile: allGoesOn,
    async heal() {
      proxy.delayMs = 0;
    },
  },
  {
    what: 'requests and answers of the broker are lost',
    async strike() {
      for (const name of Object.keys(proxy.counts)) proxy.counts[name as keyof typeof proxy.counts] = 0;
      proxy.faultOf = dealtFaults(createRandom(world.prefix));
    },
    async meanwhile(load) {
      await vi.waitFor(() => {
        if (Object.values(proxy.counts).some((count) => count === 0))
          throw new Error('not every fault struck');
      }, 60_000);
      await allGoesOn(load);
    },
    async heal() {
      proxy.faultOf = () => 'none';
    },
  },
];

test.each(faults)('$what', (fault) => liveThrough(stage, fault));

test('the disk of the broker is full', async ({ skip }) => {
  const own = disk ?? skip(`no small disk can be had here, so this was not tried: ${noDisk}`);
  await liveThrough(stage, {
    what: 'the disk of the broker is full',
    strike: async () => own.fill(64),
    async meanwhile(load) {
      await broker.ended();
      await writesAreRefused(load);
    },
    async heal() {
      own.empty();
      await broker.kill();
      await broker.start();
    },
  });
});
