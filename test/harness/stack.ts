import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { resolvePaths } from '../../deploy/native/paths.ts';
import type { Ports } from '../../deploy/native/ports.ts';
import { isReady } from '../../deploy/native/probe.ts';
import { childrenOf, type Running, running } from '../../deploy/native/process.ts';
import { silent } from '../../deploy/native/progress.ts';
import { reset, takeDown } from '../../deploy/native/take-down.ts';
import { up } from '../../deploy/native/up.ts';
import { partNamed } from '../../deploy/parts.ts';
import { afterServers, beforeServices } from '../../tools/stack/steps.ts';
import { claimPlace } from '../../tools/stack/test-run.ts';
import { drained, type Place } from './world.ts';

/** A whole stack of the test's own, as `emulsion up` makes it, reached through its nginx. */
export interface Stack extends Place {
  ports: Ports;
  /** Starts what does not run, as an operator does. */
  up(): Promise<void>;
  /** Stops a part in order. */
  down(name: string): Promise<void>;
  /** Signals what `up` started: of a service that is who keeps it. */
  signal(name: string, signal: NodeJS.Signals): void;
  /** The same for all that it has started too: of Postgres, who answers its clients. */
  signalAll(name: string, signal: NodeJS.Signals): void;
  /** The service itself, whom somebody keeps; undefined while it is about to be started again. */
  kept(name: string): number | undefined;
  isReady(name: string): Promise<boolean>;
  close(): Promise<void>;
}

export async function startStack(): Promise<Stack> {
  const { repo } = resolvePaths({});
  const { env, release } = await claimPlace(repo, '');
  const own = { ...env, EMULSION_ENGINE: 'native' };
  const paths = resolvePaths(own);
  const bringUp = () =>
    up({ env: own, afterServers: afterServers(), beforeServices: beforeServices(), progress: silent });
  const { stack, context } = await bringUp().catch((error) => {
    release();
    throw error;
  });
  const owner = new pg.Pool({ connectionString: stack.DATABASE_URL, max: 4 });
  owner.on('error', () => {});
  const brokers = stack.KAFKA_BROKERS!.split(',');
  const kafka = new Kafka({ brokers, clientId: 'test', logLevel: logLevel.NOTHING });
  const alive = (name: string): Running => {
    const found = running(paths, name);
    if (!found) throw new Error(`${name} does not run`);
    return found;
  };
  const front = { url: stack.PUBLIC_URL! };
  return {
    prefix: stack.EMULSION_PREFIX!,
    env: stack,
    owner,
    kafka,
    ports: context.ports,
    services: {
      'command-api': front,
      'query-api': front,
      stream: front,
      stream2: front,
      projectors: front,
      reactors: front,
      'media-pipeline': front,
    },
    drained: (limitMs = 30_000) => drained(owner, kafka, stack.EMULSION_PREFIX!, limitMs),
    async up() {
      await bringUp();
    },
    async down(name) {
      await takeDown({ env: own, only: [name], progress: silent });
    },
    signal: (name, signal) => void process.kill(alive(name).pid, signal),
    signalAll(name, signal) {
      const { pid } = alive(name);
      for (const each of [pid, ...childrenOf(pid)]) process.kill(each, signal);
    },
    kept: (name) => childrenOf(alive(name).pid)[0],
    isReady: (name) => isReady(partNamed(name), context.ports),
    async close() {
      await owner.end();
      await reset({ env: own, progress: silent });
      release();
    },
  };
}
