import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countReport } from '../../tools/stack/test-run.ts';
import { temporaryFolder } from './temporary.ts';

function reportFile(report: object): string {
  const file = join(temporaryFolder(), 'report.json');
  writeFileSync(file, JSON.stringify(report));
  return file;
}

test('passed and failed tests are counted', () => {
  const file = reportFile({
    numPassedTests: 3,
    numFailedTests: 1,
    testResults: [{ status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] }],
  });
  expect(countReport(file, 1)).toEqual({ passed: 3, failed: 1 });
});

test('a file that could not be loaded is a failure', () => {
  const broken = { status: 'failed', assertionResults: [] };
  const file = reportFile({ numPassedTests: 3, numFailedTests: 0, testResults: [broken] });
  expect(countReport(file, 1)).toEqual({ passed: 3, failed: 1 });
});

test('an error outside of any test is a failure', () => {
  const file = reportFile({ numPassedTests: 3, numFailedTests: 0, testResults: [] });
  expect(countReport(file, 1)).toEqual({ passed: 3, failed: 1 });
});

test('no report at all is a failure', () => {
  expect(countReport('/nowhere/report.json', 1)).toEqual({ passed: 0, failed: 1 });
});
