import { readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dismissMembers } from '../harness/group.ts';
import type { Service, ServiceName } from '../harness/services.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { compareWithOracle } from '../oracle/compare.ts';
import { createHistory } from '../oracle/history.ts';
import { play } from '../oracle/play.ts';
import type { Point } from './points.ts';
import { type Death, type Provocation, provocationOf } from './provocations.ts';

/** An author with two followers is above the threshold: their posts come into feeds when they are read. */
const worldOptions = { env: { EMULSION_FANOUT_THRESHOLD: '1' } };

const size = { people: 3, steps: 60 };
/** Steps after which a process is told to die at its point: others are under way then, and others come. */
const stepsBefore = 10;
const patienceMs = 180_000;
/** Milliseconds for a process to come to its point when all that leads there is done. */
const lastChanceMs = 15_000;
const deathLimitMs = 300_000;

/** A test for each of these points, all in one world. */
export function testDeathsAt(points: readonly Point[]): void {
  let world: World;
  let deaths: ReturnType<typeof openDeaths>;
  beforeAll(async () => {
    world = await startWorld(worldOptions);
    deaths = openDeaths(world, points);
  }, 180_000);
  afterAll(() => world?.stop());

  test.each(points)(
    '$service killed at $name: nothing wrong is left behind',
    (point) => deaths.dieAt(point),
    deathLimitMs,
  );
}

/** Kills a process at each of these points in turn. */
function openDeaths(world: World, points: readonly Point[]) {
  /** What a process was last started for. */
  const doomed = new Map<ServiceName, string>();

  const start = async (service: Service, name: string | undefined): Promise<void> => {
    doomed.delete(service.name);
    await service.start(name ? { EMULSION_CRASH_POINT: `${name}:kill:later` } : {});
    if (name) doomed.set(service.name, name);
  };
  const nextOf = ({ name, service }: Point): string | undefined => {
    const own = points.filter((other) => other.service === service).map((other) => other.name);
    return own[own.indexOf(name) + 1];
  };

  return {
    /**
     * Kills the process with SIGKILL at its point while a seeded history is written, starts it again, and lets the
     * history go on to its end: then every read answers what the oracle says, and every table and timeline is what the
     * log says. Throws when the point was never reached.
     */
    async dieAt(point: Point): Promise<void> {
      const service = world.services[point.service];
      if (doomed.get(point.service) !== point.name) {
        await service.stop();
        await start(service, point.name);
      }
      const logged = statSync(service.logFile).size;
      const recovery = recover(world, service, () => start(service, nextOf(point)));
      const death: Death = { world, service, arm: () => service.signal('SIGUSR2') };
      try {
        await live(point.name, death, recovery);
      } finally {
        await recovery.end();
      }
      const said = readFileSync(service.logFile).subarray(logged).toString();
      expect(said).toContain(`crash point ${point.name}\n`);
    },
  };
}

/** Writes the history over the death, and looks at what came of it. */
async function live(name: string, death: Death, recovery: Recovery): Promise<void> {
  const { world } = death;
  const { from, come }: Provocation = provocationOf(name);
  const history = createHistory(`${process.env.CRASH_SEED ?? 'crash'} ${name}`, size);
  let coming: Promise<void> | null = null;
  const begin = (): void => {
    coming ??= come(death);
    coming.catch(() => {});
  };
  if (from === 'start') begin();
  const onStep = (done: number): void => {
    if (done === stepsBefore) begin();
  };
  await play(world, history, { onStep, patienceMs });
  await coming;
  await recovery.over();
  await world.drained(patienceMs);
  await compareWithOracle(world, history);
  await expectVerified(world);
}

interface Recovery {
  /** Resolves when the process has died and is there again. */
  over(): Promise<void>;
  /** Nobody is started any more. */
  end(): Promise<void>;
}

/** Starts the process again when it has died. */
function recover(world: World, service: Service, again: () => Promise<void>): Recovery {
  let ended = false;
  let starting: Promise<void> | null = null;
  const restart = async (): Promise<void> => {
    await dismissMembers(world, service.name);
    await again();
  };
  const died = service.ended().then(() => {
    if (!ended) starting = restart();
    starting?.catch(() => {});
  });
  return {
    async over() {
      const late = new Promise((resolve) => setTimeout(resolve, lastChanceMs));
      await Promise.race([died, late]);
      if (!starting) throw new Error('the point was never reached');
      await starting;
    },
    async end() {
      ended = true;
      await starting;
    },
  };
}
