import type { VerifyReport } from './report.ts';
import type { Row } from './spec.ts';

/** The report as a table for people; differing rows with their events below it. */
export function printReport(report: VerifyReport): string {
  const header = ['model', 'table', 'rows', 'checksum', 'differences'];
  const rows = report.tables.map(({ model, table, actual, differences }) => [
    model,
    table,
    actual.rows.toLocaleString('en'),
    actual.checksum,
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

function notes(report: VerifyReport): string[] {
  const { models, tables, findings, feeds } = report;
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
    ...leftOut(report),
    ...findings,
    `${total.toLocaleString('en')} differences, ${report.seconds.toFixed(1)} s, at most ${megabytes(report.peakRssBytes)} of memory` +
      `, ${megabytes(report.spilledBytes)} gathered`,
  ];
}

function leftOut({ moving, erased }: VerifyReport): string[] {
  return [
    ...(moving > 0
      ? [`${moving} entries of feeds changed each time they were looked at, and were not compared`]
      : []),
    ...(erased > 0
      ? [`${erased} rows are of people who were erased meanwhile: nobody can tell them any more`]
      : []),
  ];
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MB`;
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
