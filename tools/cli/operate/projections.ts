import type { Command } from 'commander';
import type { Operator } from '../../operate/connect.ts';

interface Options {
  json?: boolean;
  watch?: boolean;
  partitions?: boolean;
}

const watchEveryMs = 2_000;

export function register(program: Command): void {
  program
    .command('projections')
    .description('say how far every version of every model is, what keeps it, and what to do')
    .argument('[model]', 'all unless named')
    .option('--json', 'print one JSON array; with --watch one a line')
    .option('--watch', 'again every two seconds, until interrupted')
    .option('--partitions', 'every partition; implied by a model')
    .action((model: string | undefined, options: Options) => run(model, options));
}

async function run(model: string | undefined, options: Options): Promise<void> {
  const { stackEnvironment } = await import('../../../deploy/native/environment.ts');
  const { withOperator } = await import('../../operate/connect.ts');
  const { requireModel } = await import('../../operate/models.ts');
  await withOperator(stackEnvironment(), async (operator) => {
    if (model !== undefined) await requireModel(operator.pool, model);
    do {
      const text = await look(operator, model, options);
      if (options.watch && !options.json) process.stdout.write('\x1b[2J\x1b[H');
      console.log(text);
      if (options.watch) await new Promise((resolve) => setTimeout(resolve, watchEveryMs));
    } while (options.watch);
  });
}

async function look(operator: Operator, model: string | undefined, options: Options): Promise<string> {
  const { readProjections } = await import('../../operate/projections/read.ts');
  const { printProjections } = await import('../../operate/projections/print.ts');
  const { projections, brokerProblem } = await readProjections(operator);
  const asked = projections.filter((projection) => model === undefined || projection.model === model);
  if (options.json) return JSON.stringify(asked, null, options.watch ? undefined : 2);
  return printProjections({ projections: asked, brokerProblem }, options.partitions ?? model !== undefined);
}
