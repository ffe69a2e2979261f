import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { requireFreePorts, resolvePorts } from '../../deploy/native/ports.ts';
import { partNamed } from '../../deploy/parts.ts';

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

async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}
