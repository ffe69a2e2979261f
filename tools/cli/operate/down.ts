import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('down')
    .description('stop the stack, or some of its processes; its data stays')
    .argument('[part...]', 'only these, such as command-api (see emulsion status)')
    .action(async (only: string[]) => {
      const { takeDown } = await import('../../../deploy/native/take-down.ts');
      if (only.length > 0) return stopSome(only);
      const stopped = await takeDown();
      console.log(
        stopped.length > 0 ? 'emulsion is down; its data is kept.' : 'Nothing of this stack was running.',
      );
    });
}

async function stopSome(only: readonly string[]): Promise<void> {
  const { parts } = await import('../../../deploy/parts.ts');
  const { failure } = await import('../../../deploy/native/failure.ts');
  const { takeDown } = await import('../../../deploy/native/take-down.ts');
  const known = parts.map(({ name }) => name);
  const unknown = only.find((name) => !known.includes(name));
  if (unknown) throw failure(`There is no part ${unknown}.`, `There are ${known.join(', ')}.`);
  const stopped = await takeDown({ only });
  console.log(stopped.length > 0 ? `stopped: ${stopped.join(', ')}` : 'None of these was running.');
}
