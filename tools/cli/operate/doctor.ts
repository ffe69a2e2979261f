import type { Command } from 'commander';
import type { Finding } from '../../operate/doctor/finding.ts';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('examine everything this stack leans on; status 1 when something is wrong')
    .option('--json', 'print one JSON array')
    .action((options: { json?: boolean }) => run(options));
}

async function run(options: { json?: boolean }): Promise<void> {
  const { stackEnvironment } = await import('../../../deploy/native/environment.ts');
  const { examine } = await import('../../operate/doctor/doctor.ts');
  const { startedServices } = await import('../../operate/doctor/services.ts');
  const findings = await examine({ ...process.env, ...stackEnvironment() }, startedServices(process.env));
  console.log(options.json ? JSON.stringify(findings, null, 2) : inWords(findings));
  // A server that keeps silent holds its connection open: nothing is waited for any more.
  process.exit(findings.some(({ level }) => level === 'wrong') ? 1 : 0);
}

function inWords(findings: readonly Finding[]): string {
  const widest = Math.max(...findings.map(({ area }) => area.length));
  const lines = findings.flatMap(({ level, area, what, remedy }) => [
    `${level.padEnd(5)}  ${area.padEnd(widest)}  ${what}`,
    ...(remedy ? [`${' '.repeat(widest + 9)}→ ${remedy}`] : []),
  ]);
  const count = (level: Finding['level']) => findings.filter((one) => one.level === level).length;
  return [...lines, `${count('wrong')} wrong, ${count('warn')} to look at, ${count('ok')} ok`].join('\n');
}
