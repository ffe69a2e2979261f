import { randomUUID } from 'node:crypto';
import { listen } from '../../../platform/postgres/listen.ts';
import { controlChannel } from '../../../platform/postgres/serving.ts';
import { projectionOf } from '../projection.ts';
import { takeBuild } from '../rebuild/builds.ts';
import { pursue } from '../rebuild/course.ts';
import type { RunningModel } from '../runner.ts';
import { type CommandContext, takeCommand } from './commands.ts';
import { openFleet } from './fleet.ts';
import { dropVersions, installEmpty, orderDeployed } from './lifecycle.ts';

export interface ControlOptions extends CommandContext {
  /** Of this process' role: it listens there. */
  databaseUrl: string;
  /** Builds worked on at a time in the whole system; the others wait. */
  rebuildsAtOnce: number;
  /** A folder on the disk of Postgres, if this process sees it. */
  postgresData: string | null;
  /** What this process was started with. */
  environment: NodeJS.ProcessEnv;
}

export interface Control {
  /** The builds that this process projects now. */
  running(): RunningModel[];
  close(): Promise<void>;
}

const lookEveryMs = 1_000;
/** A repair may take minutes; a pause meanwhile must not wait for it. */
const commandsAtOnce = 3;

/**
 * Makes this process do what the rows of the engine say: project the builds that there are, carry out what operators
 * ask, build versions again, drop those that are to go. It looks when it is told to, and each second in case that was
 * lost.
 */
export async function openControl(options: ControlOptions): Promise<Control> {
  const { engine, projections, databaseUrl } = options;
  await installEmpty(options);
  const fleet = openFleet(engine, projections);
  await fleet.reconcile();
  const closing = new AbortController();
  const builds = openBuilds(options, closing.signal);
  const leaving = new Map<string, number>();

  const looks: (() => Promise<unknown>)[] = [
    fleet.reconcile,
    () => orderDeployed(options),
    builds.look,
    () => dropVersions(options, leaving),
  ];
  const lanes = Array.from({ length: commandsAtOnce }, () =>
    repeat(options, closing.signal, async () => {
      while (await takeCommand(options));
    }),
  );
  const rows = repeat(options, closing.signal, async () => {
    for (const look of looks) await look().catch((error) => missed(options, error));
  });
  const wake = (): void => {
    for (const lane of lanes) lane.wake();
    rows.wake();
  };
  const listener = listen(databaseUrl, {
    name: 'control',
    channels: { [controlChannel]: wake },
    connected: wake,
  });
  return {
    running: fleet.running,
    async close() {
      closing.abort();
      await Promise.all([...lanes.map((lane) => lane.ended()), rows.ended(), builds.ended()]);
      await listener.close();
      await fleet.close();
    },
  };
}

function missed({ engine }: ControlOptions, error: unknown): void {
  engine.log.warn({ err: error }, 'the rows of the engine could not be looked at; again in a second');
}

/** Does something each second, and sooner when woken, never twice at a time. */
function repeat(options: ControlOptions, signal: AbortSignal, work: () => Promise<void>) {
  let rouse: () => void = () => {};
  let roused = false;
  const wake = (): void => {
    roused = true;
    rouse();
  };
  signal.addEventListener('abort', wake);
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      roused = false;
      await work().catch((error) => missed(options, error));
      if (roused) continue;
      await new Promise<void>((resolve) => {
        rouse = resolve;
        setTimeout(resolve, lookEveryMs).unref();
      });
    }
  };
  const over = loop();
  return { wake, ended: () => over };
}

/** The one build that this process works on, if any. */
function openBuilds(options: ControlOptions, signal: AbortSignal) {
  const { engine, projections, rebuildsAtOnce, postgresData, environment } = options;
  const holder = randomUUID();
  let working: Promise<void> | null = null;
  return {
    async look(): Promise<void> {
      if (working) return;
      const build = await takeBuild(engine.pool, holder, projections, rebuildsAtOnce);
      if (!build) return;
      const projection = projectionOf(projections, build.model, build.definition)!;
      working = pursue({ engine, projection, holder, postgresData, environment }, build, signal)
        .catch((error) => engine.log.error({ err: error, build }, 'rebuild given up by this process'))
        .finally(() => {
          working = null;
        });
    },
    ended: async () => void (await working),
  };
}
