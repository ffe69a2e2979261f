import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { partNamed } from '../../parts.ts';
import { exec } from '../exec.ts';
import { withLock } from '../lock.ts';
import { type Cache, installOnce } from './cache.ts';

const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
const remedy =
  'Check that Maven is installed (mvn -v) and that it can reach its repository, then run this again.';

/** Folder with `libs/*.jar`: the broker and its logging, as its own project file resolves them. */
export function installKafka(cache: Cache): Promise<string> {
  const version = partNamed('kafka').version;
  return installOnce(cache, 'kafka', version, async (folder) => {
    cache.progress.busy('kafka', `downloading ${version} (44 MB, once)`);
    await resolveJars(cache, folder, version, ['kafka_2.13']);
  });
}

/** Folder with `quarkus-run.jar` and what it loads. */
export function installRegistry(cache: Cache): Promise<string> {
  const version = partNamed('registry').version;
  return installOnce(cache, 'registry', version, async (folder) => {
    cache.progress.busy('registry', `downloading ${version} (159 MB, once)`);
    await unpackArtifact(cache, `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`, folder, folder);
  });
}

/** Debezium's sink, of which Maven Central has a whole archive. */
const sinkVersion = '3.6.0.Final';

/** Folder with `libs/*.jar` of Kafka Connect and `plugins/` with Debezium's JDBC sink: the peer in a bench, no part. */
export function installConnect(cache: Cache): Promise<string> {
  const version = partNamed('kafka').version;
  return installOnce(cache, 'connect', `${version}-${sinkVersion}`, async (folder) => {
    cache.progress.busy('connect', `downloading ${version} (80 MB, once)`);
    await resolveJars(cache, folder, version, ['connect-runtime', 'connect-json', 'connect-transforms']);
    const artifact = `io.debezium:debezium-connector-jdbc:${sinkVersion}:tar.gz:plugin`;
    await unpackArtifact(cache, artifact, folder, join(folder, 'plugins'));
  });
}

/** Puts these parts of Apache Kafka with all that they need into `libs/`, and how they log beside it. */
async function resolveJars(
  cache: Cache,
  folder: string,
  version: string,
  parts: readonly string[],
): Promise<void> {
  const pom = join(folder, 'pom.xml');
  writeFileSync(pom, projectOf(version, parts));
  const libs = `-DoutputDirectory=${join(folder, 'libs')}`;
  await maven(cache, ['-f', pom, `${plugin}:copy-dependencies`, libs]);
  writeFileSync(join(folder, 'log4j2.properties'), logging);
}

/** Unpacks an archive of Maven's into a folder. */
async function unpackArtifact(cache: Cache, artifact: string, aside: string, into: string): Promise<void> {
  const download = join(aside, '.download');
  mkdirSync(download);
  mkdirSync(into, { recursive: true });
  await maven(cache, [`${plugin}:copy`, `-Dartifact=${artifact}`, `-DoutputDirectory=${download}`]);
  const archive = join(download, readdirSync(download).find((name) => name.endsWith('.tar.gz'))!);
  await exec('tar', ['-xzf', archive, '-C', into], {
    remedy: 'Check the free disk space and run this again.',
  });
  rmSync(download, { recursive: true });
}

/**
 * One Maven at a time: its local repository is not made for two that download the same plug-in.
 * A second try, because a cut connection is the usual reason for a failure.
 */
function maven(cache: Cache, args: string[]): Promise<string> {
  return withLock(
    join(cache.folder, '.lock-maven'),
    () => {},
    async () => {
      // Java asks the user database where home is; in a container HOME may well say something else.
      const env = { ...process.env, MAVEN_OPTS: `${process.env.MAVEN_OPTS ?? ''} -Duser.home=${homedir()}` };
      const run = () =>
        exec('mvn', ['-q', '-B', ...args], { remedy, env, cwd: cache.folder, signal: cache.signal });
      return run().catch((error) => (cache.signal?.aborted ? Promise.reject(error) : run()));
    },
  );
}

function projectOf(version: string, parts: readonly string[]): string {
  const dependencies = parts.map(
    (part) =>
      `    <dependency><groupId>org.apache.kafka</groupId><artifactId>${part}</artifactId><version>${version}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>emulsion</groupId><artifactId>parts</artifactId><version>1</version>
  <dependencies>
${dependencies.join('\n')}
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
  </dependencies>
</project>
`;
}

const logging = `rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
`;
