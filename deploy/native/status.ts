import { type Part, parts } from '../parts.ts';
import { resolvePaths } from './paths.ts';
import { type Environment, type Ports, resolvePorts } from './ports.ts';
import { isReady } from './probe.ts';
import { logFile, running } from './process.ts';

export type PartStatus = {
  name: string;
  kind: Part['kind'];
  version: string;
  /** `ready`; `starting` when it runs and doesn't answer yet; `elsewhere` when its port answers but isn't ours. */
  state: 'ready' | 'starting' | 'elsewhere' | 'stopped';
  pid?: number;
  ports: number[];
  log: string;
};

/** How every part of this home is now. */
export function stackStatus(env: Environment = process.env): Promise<PartStatus[]> {
  const paths = resolvePaths(env);
  const ports = resolvePorts(env);
  const shown = parts.filter((part) => part.kind !== 'tool');
  return Promise.all(
    shown.map(async (part) => {
      const { name, kind, version } = part;
      const pid = running(paths, name)?.pid;
      const state = stateOf(pid !== undefined, await isReady(part, ports));
      return { name, kind, version, state, pid, ports: portsOf(part, ports), log: logFile(paths, name) };
    }),
  );
}

function stateOf(ours: boolean, ready: boolean): PartStatus['state'] {
  if (ours) return ready ? 'ready' : 'starting';
  return ready ? 'elsewhere' : 'stopped';
}

function portsOf(part: Part, ports: Ports): number[] {
  return part.ports.map(({ key }) => ports[key]!);
}
