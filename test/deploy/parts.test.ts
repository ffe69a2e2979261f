import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { composeEnvironment } from '../../deploy/native/compose.ts';
import { promisedKeys, stackEnvironment } from '../../deploy/native/environment.ts';
import { resolvePaths } from '../../deploy/native/paths.ts';
import { resolvePorts } from '../../deploy/native/ports.ts';
import { type Part, partNamed, parts } from '../../deploy/parts.ts';
import { temporaryFolder } from './temporary.ts';

type Service = {
  image: string;
  command?: string[];
  ports?: string[];
  environment?: Record<string, string>;
};

const file = join(import.meta.dirname, '../../docker-compose.yml');
const text = readFileSync(file, 'utf8');
const services = (parse(text) as { services: Record<string, Service> }).services;
const inCompose = parts.filter((part) => part.image);

/** With the defaults put in, as `docker compose config` does it. */
function withDefaults(value: string): string {
  return value.replace(/\$\{\w+:-([^}]*)\}/g, '$1');
}

/** The settings of a part as compose gives them: by environment or on the command line. */
function composeSettings(part: Part): Record<string, string> {
  const { environment = {}, command = [] } = services[part.name]!;
  const given = new Map(Object.entries(environment));
  command.forEach((word, i) => {
    if (word === '-c') given.set(...(command[i + 1]!.split('=') as [string, string]));
    if (word.startsWith('--')) given.set(word.slice(2), withDefaults(command[i + 1] ?? ''));
  });
  return Object.fromEntries(
    Object.keys(part.settings).map((key) => [key, given.get(composeKey(part, key)) ?? '(missing)']),
  );
}

function composeKey(part: Part, key: string): string {
  return part.name === 'kafka' ? `KAFKA_${key.replaceAll('.', '_').toUpperCase()}` : key;
}

describe('docker-compose.yml is the parts list in containers', () => {
  test('it runs the same servers, no more and no fewer', () => {
    expect(Object.keys(services).sort()).toEqual(inCompose.map((part) => part.name).sort());
  });

  test.each(inCompose)('$name has the version of the native part', (part) => {
    expect(services[part.name]!.image).toBe(part.image);
    expect(part.image).toMatch(new RegExp(`:${part.version}$`));
  });

  test.each(inCompose)('$name has the same settings', (part) => {
    const wanted = Object.entries(part.settings).map(([key, value]) => [key, value.replaceAll('"', '')]);
    expect(composeSettings(part)).toEqual(Object.fromEntries(wanted));
  });

  test.each(inCompose.filter((part) => part.kind === 'server'))(
    '$name has the same ports, on loopback',
    (part) => {
      const ports = resolvePorts({ EMULSION_PORT: '8080' });
      const wanted = part.ports.map(
        ({ key }) => `127.0.0.1:\${${key}:-${ports[key]}}:\${${key}:-${ports[key]}}`,
      );
      expect(services[part.name]!.ports).toEqual(wanted);
    },
  );

  test('up gives every variable that it leaves open', () => {
    const env = { EMULSION_HOME: temporaryFolder() };
    const given = composeEnvironment(resolvePaths(env), resolvePorts(env));
    const optional = ['EMULSION_KAFKA_CLUSTER_ID', 'EMULSION_REDIS_MAXMEMORY'];
    const asked = [...text.matchAll(/\$\{(\w+)/g)].map((match) => match[1]!);
    expect(asked.filter((key) => !(key in given) && !optional.includes(key))).toEqual([]);
  });

  test('it says that it was not run', () => {
    expect(text).toContain('NOT RUN');
  });
});

describe('the environment of a stack', () => {
  test('holds every key that a part promises', () => {
    const env = stackEnvironment({ env: { EMULSION_HOME: temporaryFolder() } });
    expect(promisedKeys().filter((key) => !env[key])).toEqual([]);
  });

  test('is overruled by what the user gives', () => {
    const env = { EMULSION_HOME: temporaryFolder(), KAFKA_BROKERS: 'elsewhere:9092' };
    expect(stackEnvironment({ env }).KAFKA_BROKERS).toBe('elsewhere:9092');
  });

  test('every part that is waited for exists', () => {
    for (const part of parts) for (const name of part.needs) expect(partNamed(name).name).toBe(name);
  });
});
