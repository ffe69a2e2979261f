import { cpus, loadavg } from 'node:os';

/** One run of something measured. */
export interface Run {
  /** Events, records, entries: what was done. */
  count: number;
  seconds: number;
  /** Milliseconds of each round in it, where it has rounds. */
  rounds?: readonly number[];
  /** Of its single answers, where their times were gathered elsewhere. */
  latency?: { p50Ms: number; p99Ms: number };
  /** Peak resident memory of the process that did it, megabytes. */
  memoryMb?: number;
  /** What that process had of the processors meanwhile. */
  cpuSeconds?: number;
}

/** The medians of the runs of one subject. */
export interface Figure {
  name: string;
  perSecond: number;
  runs: number;
  p50Ms?: number;
  p99Ms?: number;
  memoryMb?: number;
  /** Of the process that did it, for each of them: the steadiest figure while others work on the machine. */
  cpuMicros?: number;
}

/** A subject held against what it can't be faster than. */
export interface Subject extends Figure {
  ceilingPerSecond: number;
  ratio: number;
}

/** What a bench found: its first subject, all else, and the peer where one ran. */
export interface BenchReport {
  bench: string;
  subject: Subject;
  others: Figure[];
  peer?: { name: string; perSecond: number };
  /** The one-minute load average before the first run: what others did on this machine. */
  loadAverage: number;
  /** What a figure is not reached for or held against, in words. */
  notes: string[];
}

/** The load of the machine now, one-minute average. */
export function loadNow(): number {
  return Math.round(loadavg()[0]! * 100) / 100;
}

export function figureOf(name: string, runs: readonly Run[]): Figure {
  const figure: Figure = {
    name,
    perSecond: Math.round(median(runs.map((run) => run.count / run.seconds))),
    runs: runs.length,
  };
  const rounds = runs.flatMap((run) => run.rounds ?? []);
  if (rounds.length > 0) {
    figure.p50Ms = tenth(quantile(rounds, 0.5));
    figure.p99Ms = tenth(quantile(rounds, 0.99));
  }
  const latencies = runs.flatMap((run) => run.latency ?? []);
  if (latencies.length > 0) {
    figure.p50Ms = median(latencies.map(({ p50Ms }) => p50Ms));
    figure.p99Ms = median(latencies.map(({ p99Ms }) => p99Ms));
  }
  const memory = runs.flatMap((run) => run.memoryMb ?? []);
  if (memory.length > 0) figure.memoryMb = Math.max(...memory);
  const cpu = runs.flatMap((run) => (run.cpuSeconds === undefined ? [] : run.cpuSeconds / run.count));
  if (cpu.length > 0) figure.cpuMicros = tenth(median(cpu) * 1_000_000);
  return figure;
}

/** The ceiling is the slowest of those given: the subject does at least the work of each. */
export function against(figure: Figure, ceilings: readonly Figure[]): Subject {
  const ceilingPerSecond = Math.min(...ceilings.map(({ perSecond }) => perSecond));
  return {
    ...figure,
    ceilingPerSecond,
    ratio: Math.round((figure.perSecond / ceilingPerSecond) * 100) / 100,
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between neighbours the value is in proportion. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/** One JSON object: the first subject's figures on top, the rest under `others`. */
export function reportJson(report: BenchReport): string {
  const { bench, subject, others, peer, loadAverage, notes } = report;
  return JSON.stringify({ bench, ...subject, loadAverage, others, ...(peer ? { peer } : {}), notes });
}

/** The same as a table for people. */
export function printReport(report: BenchReport): string {
  const { bench, subject, others, peer, loadAverage, notes } = report;
  const head = `${bench}: load average ${loadAverage} on ${cpus().length} cores before the first run; medians of runs that took turns`;
  const lines = [row(['', 'per second', 'runs', 'p50', 'p99', 'peak memory', 'CPU of each'])];
  for (const figure of [subject, ...others]) lines.push(figureRow(figure));
  const ratio = `${subject.name} reaches ${subject.ratio} of the slowest ceiling (${count(subject.ceilingPerSecond)}/s)`;
  const ahead = peer
    ? [
        `${peer.name} ${count(peer.perSecond)}/s: ${(subject.perSecond / peer.perSecond).toFixed(2)} times as fast`,
      ]
    : [];
  return [head, '', ...lines, '', ratio, ...ahead, ...notes].join('\n');
}

function figureRow(figure: Figure): string {
  const ms = (value: number | undefined): string => (value === undefined ? '' : `${value} ms`);
  const memory = figure.memoryMb === undefined ? '' : `${figure.memoryMb} MB`;
  const cpu = figure.cpuMicros === undefined ? '' : `${figure.cpuMicros} µs`;
  return row([
    figure.name,
    count(figure.perSecond),
    String(figure.runs),
    ms(figure.p50Ms),
    ms(figure.p99Ms),
    memory,
    cpu,
  ]);
}

function row([name, ...cells]: string[]): string {
  return `  ${name!.padEnd(52)}${cells.map((cell) => cell.padStart(13)).join('')}`.trimEnd();
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
