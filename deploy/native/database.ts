import { createPool, type Pool } from '../../platform/postgres/pool.ts';
import { databaseUrl, ownerRole, registryRole, roles } from './environment.ts';
import { failure } from './failure.ts';
import type { Paths } from './paths.ts';
import type { Ports } from './ports.ts';
import { secret } from './secrets.ts';

/**
 * Makes the databases and login roles, or sets their passwords again to those kept in the secrets folder.
 * Grants are the migrations' business: they know the tables.
 */
export async function ensureDatabases(paths: Paths, ports: Ports): Promise<void> {
  const client = createPool(databaseUrl(paths, ports, ownerRole, 'postgres'), {
    name: 'emulsion up',
    max: 1,
  });
  try {
    await client.query('select 1').catch((error) => Promise.reject(refused(error, paths)));
    for (const role of [...roles, registryRole])
      await ensureRole(client, role, secret(paths, `postgres-${role}`));
    await ensureDatabase(client, 'emulsion', ownerRole);
    await ensureDatabase(client, 'registry', registryRole);
  } finally {
    await client.end();
  }
}

/** Mostly: the data was kept and the secrets folder wasn't. */
function refused(error: Error, paths: Paths): Error {
  return failure(
    `postgres refuses its owner: ${error.message}.`,
    `Put back ${paths.secrets} as it was when the data was made, or delete the data with npx emulsion reset.`,
    error,
  );
}

async function ensureRole(client: Pool, role: string, password: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
  const verb = rowCount ? 'alter' : 'create';
  // Passwords are our own hexadecimal (secrets.ts); DDL takes no parameters.
  await client.query(`${verb} role ${role} login password '${password}'`);
}

/** Only its owner and the roles granted by name may connect: not every role of the server. */
async function ensureDatabase(client: Pool, name: string, owner: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
  if (!rowCount) await client.query(`create database ${name} owner ${owner}`);
  await client.query(`revoke connect, temporary on database ${name} from public`);
  if (name === 'emulsion')
    await client.query(`grant connect, temporary on database ${name} to ${roles.join(', ')}`);
}
