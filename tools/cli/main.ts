import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { isFailure } from '../../deploy/native/failure.ts';

/**
 * `emulsion`: one file a command in operate/, analyse/ and develop/, named like the command and exporting
 * `register(program)`. A command is found by its file name, so that one loads nothing of the others; heavy imports
 * still belong into its action.
 */
const folders = ['operate', 'analyse', 'develop'];
const here = dirname(fileURLToPath(import.meta.url));

async function main(args: string[]): Promise<void> {
  const program = new Command('emulsion')
    .description('Runs and operates emulsion, the event-sourced backend of a social product.')
    .showHelpAfterError('(emulsion --help lists the commands)');
  for (const file of commandFiles(args[0])) {
    const module = (await import(pathToFileURL(file).href)) as { register?: (program: Command) => void };
    module.register?.(program);
  }
  await program.parseAsync(args, { from: 'user' });
}

/** The one file of a known command; all of them for help, or for a name nobody knows. */
function commandFiles(name: string | undefined): string[] {
  const known = name && /^[a-z][a-z-]*$/.test(name) ? folders.map((f) => join(here, f, `${name}.ts`)) : [];
  const found = known.filter((file) => existsSync(file));
  if (found.length > 0) return found;
  return folders
    .map((folder) => join(here, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    .filter((file) => file.endsWith('.ts'));
}

main(process.argv.slice(2)).catch(async (error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  process.exitCode = 1;
  if (process.env.DEBUG && error instanceof Error) return console.error(error.stack);
  console.error(`emulsion: ${text}`);
  if (!isFailure(error)) console.error(`  → ${await remedyOf(error)}`);
});

/** For what no command has foreseen: mostly a server that is not there. */
async function remedyOf(error: unknown): Promise<string> {
  const { dependencyOf } = await import('../../platform/log/outage.ts');
  const dependency = error instanceof Error ? dependencyOf(error) : null;
  const ask = dependency ? `It is about ${dependency}: npx emulsion doctor tells how that is. ` : '';
  return `${ask}Set DEBUG=1 to see where it comes from.`;
}
