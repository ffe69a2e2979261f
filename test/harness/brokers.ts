import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findJava } from '../../deploy/native/install/java.ts';
import { installKafka } from '../../deploy/native/install/maven.ts';
import { resolvePaths } from '../../deploy/native/paths.ts';
import { waitReady } from '../../deploy/native/probe.ts';
import { silent } from '../../deploy/native/progress.ts';
import { partNamed } from '../../deploy/parts.ts';
import type { SmallDisk } from './disk.ts';
import { claimPort } from './services.ts';

/** One node of Kafka, broker and controller, of the test's own. */
export interface Broker {
  /** `127.0.0.1:port` */
  address: string;
  /** Starts it (again) with the data that it has, and waits until it may be led by. */
  start(): Promise<void>;
  /** SIGKILL, and its end. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has ended, by itself too. */
  ended(): Promise<void>;
}

export interface Brokers {
  nodes: Broker[];
  close(): Promise<void>;
}

export interface BrokersOptions {
  /** What the only node names as its address, where something stands before it: given the address it listens at. */
  before?(address: string): Promise<string>;
  /** Where the data lies. */
  disk?: SmallDisk;
  /** Other settings than the stack's. */
  settings?: Record<string, string>;
}

const part = partNamed('kafka');
const readyWithinMs = 150_000;

/** Starts a cluster of so many nodes with the settings of the stack's, and the replication that so many allow. */
export async function startBrokers(count: 1 | 3, options: BrokersOptions = {}): Promise<Brokers> {
  const folder = mkdtempSync(path.join(tmpdir(), 'emulsion-kafka-'));
  const { cache } = resolvePaths(process.env);
  const kafka = await installKafka({ folder: cache, progress: silent });
  const places = await Promise.all(
    Array.from({ length: count }, async (_, n) => ({
      id: n + 1,
      port: await claimPort(),
      controller: await claimPort(),
    })),
  );
  const voters = places.map(({ id, controller }) => `${id}@127.0.0.1:${controller}`).join(',');
  const java = javaOf(kafka, options.disk);
  const cluster = `A${randomBytes(16).toString('base64url').slice(1)}`;
  const open = async ({ id, port, controller }: Place): Promise<Broker> => {
    const address = `127.0.0.1:${port}`;
    const data = path.join(options.disk?.folder ?? folder, `data-${id}`);
    const config = path.join(folder, `${id}.properties`);
    const own = {
      'node.id': id,
      listeners: `PLAINTEXT://${address},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `PLAINTEXT://${(await options.before?.(address)) ?? address}`,
      'controller.quorum.voters': voters,
      'log.dirs': data,
    };
    const settings = { ...part.settings, ...options.settings, ...replicated(count), ...own };
    writeFileSync(config, propertiesOf(settings));
    const [file, ...args] = java(['kafka.tools.StorageTool', 'format', '-t', cluster, '-c', config]);
    await promisify(execFile)(file, args);
    return brokerOf({ address, port, command: java(['kafka.Kafka', config]), log: `${config}.log` });
  };
  const nodes = await Promise.all(places.map(open));
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await close();
    throw error;
  }
  return { nodes, close };
}

interface Place {
  id: number;
  port: number;
  controller: number;
}

/** Small and soon up: nobody measures these. */
function javaOf(kafka: string, disk: SmallDisk | undefined) {
  const logging = `-Dlog4j2.configurationFile=${path.join(kafka, 'log4j2.properties')}`;
  const memory = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const command = [findJava(17, 'Kafka'), ...memory, logging, '-cp', path.join(kafka, 'libs/*')];
  return (args: string[]): [string, ...string[]] => {
    const [file, ...rest] = [...command, ...args] as [string, ...string[]];
    return disk ? disk.inside([file, ...rest]) : [file, ...rest];
  };
}

/** With three nodes two must have a write: one may be away. */
function replicated(count: number): Record<string, string> {
  const inSync = count > 2 ? '2' : '1';
  return {
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': `${count}`,
    'transaction.state.log.replication.factor': `${count}`,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': `${count}`,
    'share.coordinator.state.topic.min.isr': inSync,
  };
}

function propertiesOf(settings: Record<string, string | number>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

interface Launch {
  address: string;
  port: number;
  command: [string, ...string[]];
  log: string;
}

function brokerOf({ address, port, command: [file, ...args], log }: Launch): Broker {
  let child: ChildProcess | null = null;
  let end: Promise<void> = Promise.resolve();
  return {
    address,
    async start() {
      const out = openSync(log, 'a');
      const env = { ...process.env, CLASSPATH: undefined };
      const started = spawn(file, args, { stdio: ['ignore', out, out], env });
      closeSync(out);
      child = started;
      end = new Promise((resolve) => started.once('exit', () => resolve()));
      const alive = (): boolean => started.exitCode === null && started.signalCode === null;
      if (await waitReady(part, { EMULSION_KAFKA_PORT: port }, alive, readyWithinMs)) return;
      throw new Error(`the broker at ${address} is not ready:\n${readFileSync(log, 'utf8').slice(-2_000)}`);
    },
    async kill() {
      child?.kill('SIGKILL');
      await end;
    },
    signal: (signal) => void child?.kill(signal),
    ended: () => end,
  };
}
