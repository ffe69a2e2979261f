import { fetchHeads } from '../../platform/log/topics.ts';
import { topics } from '../../schemas/topics.ts';
import type { Graph } from './edges.ts';
import type { MemoryPeaks } from './memory.ts';
import type { Installation, Lag } from './settle.ts';
import type { Tally } from './tally.ts';

export interface LoadReport {
  graph: { people: number; follows: number; lines: number; selfEdges: number; repeats: number };
  photographs: { uploaded: number; ready: number; rejected: number };
  accepted: Tally['accepted'];
  refused: Tally['refused'];
  /** Requests that were sent again after a passing refusal or a lost connection. */
  retries: number;
  /** All that the log holds, by topic. */
  events: Record<string, number>;
  /** All rows, by model and table. */
  rows: Record<string, number>;
  lag: Lag[];
  memoryMb: MemoryPeaks;
  seconds: number;
}

export async function countEvents({ kafka, prefix }: Installation): Promise<Record<string, number>> {
  const heads = await fetchHeads(kafka, prefix, topics);
  return Object.fromEntries(
    [...heads].map(([topic, offsets]) => [topic, offsets.reduce((sum, head) => sum + Number(head), 0)]),
  );
}

export async function countRows({ pool }: Installation): Promise<Record<string, number>> {
  const { rows: tables } = await pool.query(
    `SELECT s.model, v.schema_name, t.table_name FROM engine.serving s JOIN engine.version v USING (model, version)
     JOIN information_schema.tables t ON t.table_schema = v.schema_name ORDER BY 1, 3`,
  );
  const counts: Record<string, number> = {};
  for (const { model, schema_name, table_name } of tables) {
    const { rows } = await pool.query(`SELECT count(*) AS n FROM ${schema_name}.${table_name}`);
    counts[`${model}.${table_name}`] = rows[0].n;
  }
  return counts;
}

export function graphReport(graph: Graph): LoadReport['graph'] {
  const { lines, selfEdges, repeats } = graph;
  return { people: graph.nodes.length, follows: graph.followers.length, lines, selfEdges, repeats };
}

/** The report as a table for people. */
export function printReport(report: LoadReport): string {
  const { graph, photographs } = report;
  const sections: [string, [string, string | number][]][] = [
    [
      'graph',
      [
        ['people', graph.people],
        ['follows', graph.follows],
        ['self-edges skipped', graph.selfEdges],
        ['repeats skipped', graph.repeats],
      ],
    ],
    ['photographs', Object.entries(photographs)],
    ['commands accepted', Object.entries(report.accepted)],
    [
      'commands refused',
      report.refused.map((r) => [`${r.command} ${r.code}`, `${r.count} (first: ${r.first})`]),
    ],
    ['events in the log', Object.entries(report.events)],
    ['rows', Object.entries(report.rows)],
    ['events behind', report.lag.map((lag) => [lag.consumer, lag.events])],
    ['most memory, MB', Object.entries(report.memoryMb)],
    [
      'took',
      [
        ['seconds', Math.round(report.seconds)],
        ['requests sent again', report.retries],
      ],
    ],
  ];
  return sections
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) =>
      [title, ...rows.map(([name, value]) => `  ${name.padEnd(36)} ${figure(value)}`)].join('\n'),
    )
    .join('\n');
}

function figure(value: string | number): string {
  return typeof value === 'number' ? value.toLocaleString('en').padStart(12) : value;
}
