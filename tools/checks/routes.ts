import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Check, CheckResult } from './check.ts';

interface Contract {
  name: string;
  method: string;
  path: string;
  service: 'command' | 'query' | 'stream';
}

const rooms: Record<Contract['service'], string> = {
  command: 'command-api',
  query: 'query-api',
  stream: 'query-api/stream',
};

async function run(root: string): Promise<CheckResult> {
  const listed = (await importFrom(root, 'schemas/routes.ts')).allRoutes as Contract[];
  return {
    findings: [
      ...(await unlisted(root, listed)),
      ...doubles(listed),
      ...listed.flatMap((contract) => handlerFindings(root, contract)),
      ...strangers(root, listed),
      ...unbound(root),
    ],
    looked: listed.length,
    of: 'contracts',
  };
}

async function importFrom(root: string, file: string): Promise<Record<string, unknown>> {
  return import(pathToFileURL(path.join(root, file)).href);
}

/** Handlers are found by the contract's name, so the constant must bear it too. */
async function unlisted(root: string, listed: Contract[]): Promise<string[]> {
  const findings: string[] = [];
  for (const file of globSync('schemas/**/*.http.ts', { cwd: root }).sort()) {
    for (const [name, value] of Object.entries(await importFrom(root, file))) {
      if (!isContract(value)) continue;
      if (!listed.some((contract) => contract.name === value.name)) {
        findings.push(`${file}: ${name} is not in allRoutes of schemas/routes.ts, so nobody is led to it.`);
      }
      if (name !== value.name)
        findings.push(`${file}: ${name} is named ${value.name}; the constant and the name must be one.`);
    }
  }
  return findings;
}

function isContract(value: unknown): value is Contract {
  return typeof value === 'object' && value !== null && 'service' in value && 'method' in value;
}

function doubles(listed: Contract[]): string[] {
  const groups = Map.groupBy(listed, (contract) => `${contract.method} ${contract.path}`);
  return [...groups]
    .filter(([, group]) => group.length > 1)
    .map(
      ([address, group]) =>
        `schemas/routes.ts: ${address} belongs to ${group.map((c) => c.name).join(' and ')}.`,
    );
}

/** The names bound by `handle(name, …)` in a room's route files, with their file. */
function handlers(root: string, room: string): { name: string; file: string }[] {
  return globSync(`${room}/**/*.route.ts`, { cwd: root }).flatMap((file) => {
    const text = readFileSync(path.join(root, file), 'utf8');
    return [...text.matchAll(/\bhandle\(\s*(\w+)\s*,/g)].map((match) => ({ name: match[1]!, file }));
  });
}

function handlerFindings(root: string, contract: Contract): string[] {
  const room = rooms[contract.service];
  // The stream is no Koa server: its one address stands in its own server file.
  const found =
    contract.service === 'stream'
      ? globSync(`${room}/*.ts`, { cwd: root }).filter((file) =>
          readFileSync(path.join(root, file), 'utf8').includes(`'${contract.path}'`),
        )
      : handlers(root, room).filter(({ name }) => name === contract.name);
  if (found.length === 1) return [];
  const count = found.length === 0 ? 'no handler' : `${found.length} handlers`;
  return [`schemas/routes.ts: ${contract.name} has ${count} in ${room}.`];
}

function strangers(root: string, listed: Contract[]): string[] {
  return (['command', 'query'] as const).flatMap((service) =>
    handlers(root, rooms[service])
      .filter(
        ({ name }) => !listed.some((contract) => contract.name === name && contract.service === service),
      )
      .map(({ name, file }) => `${file} handles ${name}, which is no contract of the ${service} service.`),
  );
}

/** A route file that no server imports answers nobody. */
function unbound(root: string): string[] {
  return globSync('{command-api,query-api}/**/*.route.ts', { cwd: root }).flatMap((file) => {
    const room = file.split('/')[0]!;
    const servers = globSync(`${room}/*.ts`, { cwd: root }).map((name) =>
      readFileSync(path.join(root, name), 'utf8'),
    );
    const address = `./${path.relative(room, file)}`;
    return servers.some((text) => text.includes(`'${address}'`))
      ? []
      : [`${file} is imported by no server of ${room}.`];
  });
}

export const routes: Check = {
  name: 'routes',
  about: 'every contract has one handler, every handler a contract',
  run,
};
