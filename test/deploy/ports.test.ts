import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keepPorts, keptPorts } from '../../deploy/native/kept-ports.ts';
import { makeFolders, resolvePaths } from '../../deploy/native/paths.ts';
import { requireFreePorts, resolvePorts } from '../../deploy/native/ports.ts';
import { startDetached, stopProcess } from '../../deploy/native/process.ts';
import { silent } from '../../deploy/native/progress.ts';
import { takeDown } from '../../deploy/native/take-down.ts';
import { up } from '../../deploy/native/up.ts';
import { partNamed } from '../../deploy/parts.ts';
import { temporaryFolder } from './temporary.ts';

describe('ports', () => {
  test('setting EMULSION_PORT alone moves every one of them', () => {
    const one = Object.values(resolvePorts({ EMULSION_PORT: '8080' }));
    const other = Object.values(resolvePorts({ EMULSION_PORT: '8081' }));
    expect(one.filter((port) => other.includes(port))).toEqual([]);
  });

  test('all of them stay below the range that Linux gives out by itself', () => {
    for (let front = 8000; front < 8500; front++) {
      const { EMULSION_PORT: _, ...derived } = resolvePorts({ EMULSION_PORT: String(front) });
      expect(Math.max(...Object.values(derived))).toBeLessThan(32_768);
    }
  });

  test('each has a key of its own', () => {
    expect(resolvePorts({ EMULSION_REDIS_PORT: '7001' }).EMULSION_REDIS_PORT).toBe(7001);
  });

  test('what is no port is told with its key', () => {
    expect(() => resolvePorts({ EMULSION_S3_PORT: 'x' })).toThrow(/EMULSION_S3_PORT is "x"/);
  });

  test('two keys with one port are told', () => {
    const doubled = { EMULSION_REDIS_PORT: '7001', EMULSION_S3_PORT: '7001' };
    expect(() => resolvePorts(doubled)).toThrow(/are both 7001/);
  });

  test('a taken port is told with the part, the port, the holder and the key', async () => {
    const port = await takenPort();
    const refusal = requireFreePorts(partNamed('redis'), { EMULSION_REDIS_PORT: port });
    await expect(refusal).rejects.toThrow(
      new RegExp(
        `redis needs port ${port}.*in use by .*\\(pid ${process.pid}\\)[\\s\\S]*EMULSION_REDIS_PORT`,
      ),
    );
  });
});

describe('a stack that runs on other ports than the usual', () => {
  const started = { EMULSION_PORT: '8171', EMULSION_REDIS_PORT: '7001' };
  function home() {
    const env = { EMULSION_HOME: temporaryFolder(), EMULSION_ENGINE: 'native' };
    const paths = resolvePaths(env);
    makeFolders(paths);
    keepPorts(paths, resolvePorts({ ...env, ...started }));
    startDetached(paths, { name: 'redis', file: 'sleep', args: ['60'] });
    onTestFinished(async () => {
      await stopProcess(paths, 'redis', { signal: 'SIGTERM', waitMs: 2_000 });
    });
    return { env, paths };
  }

  test('is met by a command that names none', () => {
    const { env } = home();
    expect(resolvePorts(env)).toEqual(resolvePorts({ ...env, ...started }));
    expect(resolvePorts({ ...env, EMULSION_PORT: '8080' })).toEqual(
      resolvePorts({ EMULSION_HOME: temporaryFolder(), EMULSION_PORT: '8080' }),
    );
  });

  test('is not started again on others, until it was stopped', async () => {
    const { env, paths } = home();
    await expect(up({ env: { ...env, EMULSION_PORT: '8172' }, progress: silent })).rejects.toThrow(
      /EMULSION_PORT 8171, not 8172[\s\S]*emulsion down/,
    );
    expect(await takeDown({ env, progress: silent })).toEqual(['redis']);
    expect(keptPorts(paths)).toBeUndefined();
  });
});

async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}
