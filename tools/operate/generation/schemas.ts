import { failure } from '../../../deploy/native/failure.ts';
import { registerSchemas } from '../../../platform/log/codec.ts';
import { eventCatalog } from '../../../schemas/generated/events.ts';
import { readSchemas } from '../backup/registry.ts';

const limitMs = 10_000;
const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' };

/**
 * Registers under the new prefix every version that a schema ever had under the old one, in their order, so that what is
 * compatible stays so. Records keep the numbers they were written with: those stay the registry's.
 */
export async function copySchemas(registryUrl: string, from: string, to: string): Promise<void> {
  for (const { subject, schema } of await readSchemas(registryUrl, from)) {
    const name = encodeURIComponent(`${to}${subject.slice(from.length)}`);
    await put(`${registryUrl}/config/${name}`, 'PUT', { compatibility: 'FULL_TRANSITIVE' });
    await put(`${registryUrl}/subjects/${name}/versions`, 'POST', { schema, schemaType: 'AVRO' });
  }
  await registerSchemas({ registryUrl, catalog: eventCatalog, prefix: to });
}

async function put(address: string, method: string, body: object): Promise<void> {
  const answer = await fetch(address, {
    method,
    headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(limitMs),
  });
  if (answer.ok) return;
  throw failure(
    `The schema registry answered ${answer.status} to ${address}: ${await answer.text()}.`,
    'See what is wrong with npx emulsion doctor, then copy again.',
  );
}
