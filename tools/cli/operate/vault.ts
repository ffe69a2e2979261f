import type { Command } from 'commander';

export function register(program: Command): void {
  const vault = program.command('vault').description('look after what the log does not hold');
  vault
    .command('rotate-master-key')
    .description('add a master key and wrap every data key with it, while everything runs')
    .option('--json', 'print one JSON object')
    .action(async (options: { json?: boolean }) => {
      const [{ stackEnvironment }, { rotateMasterKey }] = await Promise.all([
        import('../../../deploy/native/environment.ts'),
        import('../../operate/rotate-master-key.ts'),
      ]);
      const told = (done: number, of: number): void => {
        process.stderr.write(`wrapped ${done} of ${of} data keys\n`);
      };
      const rotated = await rotateMasterKey(stackEnvironment(), told);
      if (options.json) return console.log(JSON.stringify(rotated));
      const { version, added, dataKeys, signingKeys } = rotated;
      console.log(`master key     number ${version}, ${added ? 'added' : 'added by a run that did not end'}`);
      console.log(`data keys      ${dataKeys} wrapped anew`);
      console.log(`signing keys   ${signingKeys} wrapped anew`);
    });
  vault
    .command('apply-erasures')
    .description(
      'remove from the vault whoever the log says was erased; after Postgres was brought back by other means',
    )
    .action(async () => {
      const [{ stackEnvironment }, { applyErasuresOf }] = await Promise.all([
        import('../../../deploy/native/environment.ts'),
        import('../../operate/erasures.ts'),
      ]);
      const erased = await applyErasuresOf(stackEnvironment());
      console.log(`erased again   ${erased} accounts`);
    });
  vault
    .command('rebuild-claims')
    .description('make the active claims on usernames and emails again from the log')
    .option('--dry-run', 'only say what would change')
    .action(async (options: { dryRun?: boolean }) => {
      const [{ stackEnvironment }, { rebuildClaims }] = await Promise.all([
        import('../../../deploy/native/environment.ts'),
        import('../../operate/rebuild-claims.ts'),
      ]);
      const found = await rebuildClaims(stackEnvironment(), { write: !options.dryRun });
      console.log(`accounts in the log        ${found.accounts}`);
      console.log(`erased ones beside them    ${found.erased}`);
      console.log(`records not to be read     ${found.unread}`);
      console.log(`claims in the vault        ${found.before}`);
      console.log(`missing, ${options.dryRun ? 'to write ' : 'written  '}         ${found.missing}`);
      console.log(`without event, ${options.dryRun ? 'to remove' : 'removed  '}   ${found.stale}`);
      console.log(`held by another account    ${found.conflicts}`);
      if (found.unread > 0)
        console.log(
          'What can not be read is parked, see emulsion dead-letters list; until it is ruled on, claims of its keys stay.',
        );
      if (found.conflicts === 0) return;
      console.log(
        'Two accounts of the log have one name, or the vault gives it to another: a person must decide.',
      );
      process.exitCode = 1;
    });
}
