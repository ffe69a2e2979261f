import type { Step } from '../../../deploy/native/up.ts';

/** What is done between the servers and the services: migrations, topics, schemas. */
export function beforeServices(): Step[] {
  return [
    {
      name: 'prepare',
      run: async (stack, log) => {
        const { prepare } = await import('./prepare.ts');
        await prepare(stack, log);
      },
    },
  ];
}
