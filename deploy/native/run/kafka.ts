import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { partNamed } from '../../parts.ts';
import { exec } from '../exec.ts';
import { findJava } from '../install/java.ts';
import { type Context, launch } from './context.ts';

const part = partNamed('kafka');

/** A single KRaft node, broker and controller in one process. */
export async function startKafka(context: Context, folder: string): Promise<void> {
  await launch(context, part, async () => {
    const java = findJava(17, 'Kafka');
    const home = join(context.paths.home, 'kafka');
    const classpath = join(folder, 'libs/*');
    const logging = `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`;
    const config = writeConfig(context, home, 'data');
    if (!existsSync(join(home, 'data/meta.properties')))
      await format(context, home, [java, classpath, logging]);
    return {
      file: java,
      args: ['-Xmx512m', '-Xms256m', '-XX:+UseG1GC', logging, '-cp', classpath, 'kafka.Kafka', config],
      env: { ...process.env, CLASSPATH: undefined },
    };
  });
}

/** Formatted aside and renamed: an interrupted format would leave a folder that looks like a log and isn't one. */
async function format(context: Context, home: string, [java, classpath, logging]: string[]): Promise<void> {
  context.progress.busy('kafka', 'formatting its log folder');
  const fresh = join(home, 'data.new');
  rmSync(fresh, { recursive: true, force: true });
  const config = writeConfig(context, home, 'data.new');
  const id = randomClusterId();
  const args = ['-Xmx256m', '-XX:TieredStopAtLevel=1', logging!, '-cp', classpath!];
  await exec(java!, [...args, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', config], {
    remedy: `Check the free disk space and the rights on ${home}, and run this again.`,
  });
  rmSync(join(home, 'data'), { recursive: true, force: true });
  renameSync(fresh, join(home, 'data'));
}

/** A Kafka cluster id: 16 bytes in URL-safe base64 that do not begin with a dash. */
function randomClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? randomClusterId() : id;
}

function writeConfig(context: Context, home: string, data: string): string {
  mkdirSync(join(home, data), { recursive: true });
  const { EMULSION_KAFKA_PORT: port, EMULSION_KAFKA_CONTROLLER_PORT: controller } = context.ports;
  const settings = {
    ...part.settings,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'log.dirs': join(home, data),
  };
  const file = join(home, `${data}.properties`);
  const text = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text.join('')) writeFileSync(file, text.join(''));
  return file;
}
