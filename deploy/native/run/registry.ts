import { partNamed } from '../../parts.ts';
import { registryRole } from '../environment.ts';
import { findJava } from '../install/java.ts';
import { secret } from '../secrets.ts';
import { type Context, launch } from './context.ts';

const part = partNamed('registry');

/** The schema registry, its schemas in the database `registry` of our Postgres. */
export async function startRegistry(context: Context, folder: string): Promise<void> {
  const { paths, ports } = context;
  await launch(context, part, async () => ({
    file: findJava(21, 'The schema registry'),
    args: ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-jar', 'quarkus-run.jar'],
    cwd: folder,
    env: {
      ...process.env,
      ...part.settings,
      QUARKUS_HTTP_HOST: '127.0.0.1',
      QUARKUS_HTTP_PORT: String(ports.EMULSION_REGISTRY_PORT),
      QUARKUS_MANAGEMENT_HOST: '127.0.0.1',
      QUARKUS_MANAGEMENT_PORT: String(ports.EMULSION_REGISTRY_MANAGEMENT_PORT),
      APICURIO_DATASOURCE_URL: `jdbc:postgresql://127.0.0.1:${ports.EMULSION_POSTGRES_PORT}/registry`,
      APICURIO_DATASOURCE_PASSWORD: secret(paths, `postgres-${registryRole}`),
    },
  }));
}
