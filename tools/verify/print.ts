import type { Row } from './spec.ts';
import type { VerifyReport } from './verify.ts';

/** The report as a table for people; differing rows with their events below it. */
export function printReport(report: VerifyReport): string {
  const header = ['model', 'table', 'rows', 'checksum', 'differences'];
  const rows = report.tables.map(({ model, table, actual, differences }) => [
    model,
    table,
    actual.rows.toLocaleString('en'),
    actual.sum.toString(16).padStart(16, '0'),
    differences === 0 ? '0' : differences.toLocaleString('en'),
  ]);
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: string[]): string =>
    cells
      .map((cell, i) => (i === 2 || i === 4 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ');
  return [line(header), ...rows.map(line), ...notes(report), ...report.differences.map(printDifference)].join(
    '\n',
  );
}

function notes({ models, tables, findings, moving, feeds, seconds }: VerifyReport): string[] {
  const events = models.map(
    ({ model, version, events }) => `${model} v${version}: ${events.toLocaleString('en')} events`,
  );
  const parked = models.reduce((sum, model) => sum + model.parked, 0);
  const total = tables.reduce((sum, table) => sum + table.differences, 0);
  return [
    '',
    events.join(', '),
    ...(feeds?.from === 'redis'
      ? [`feeds of ${feeds.readers.toLocaleString('en')} readers as Redis serves them`]
      : []),
    ...(feeds?.from === 'postgres'
      ? ['Redis has lost the timelines: feeds are answered from the tables above']
      : []),
    ...(parked > 0 ? [`${parked} records are parked and in no row`] : []),
    ...(moving > 0 ? [`${moving} rows changed each time they were looked at, and were not compared`] : []),
    ...findings,
    `${total.toLocaleString('en')} differences, ${seconds.toFixed(1)} s`,
  ];
}

function printDifference({
  model,
  table,
  key,
  expected,
  actual,
  columns,
  events,
}: VerifyReport['differences'][0]): string {
  const show = (row: Row | null): string =>
    row ? columns.map((column) => `${column}=${row[column] ?? 'null'}`).join(' ') : 'no such row';
  return [
    `\n${model}.${table} ${key}`,
    `  the log says  ${show(expected)}`,
    `  there is      ${show(actual)}`,
    ...events.map(
      ({ at, type, time, id, fields }) => `  ${at}  ${time}  ${type} ${id} ${JSON.stringify(fields)}`,
    ),
    ...(events.length === 0 ? ['  no event made it'] : []),
  ].join('\n');
}

/** The report as one JSON object: checksums are text, for they do not fit a number. */
export function reportJson(report: VerifyReport, equal: boolean): string {
  const text = (_name: string, value: unknown): unknown =>
    typeof value === 'bigint' ? value.toString(16) : value;
  return JSON.stringify({ equal, ...report }, text);
}
