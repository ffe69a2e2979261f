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
    const pom = join(folder, 'pom.xml');
    writeFileSync(pom, kafkaProject(version));
    await maven(cache, [
      '-f',
      pom,
      `${plugin}:copy-dependencies`,
      `-DoutputDirectory=${join(folder, 'libs')}`,
    ]);
    writeFileSync(join(folder, 'log4j2.properties'), logging);
  });
}

/** Folder with `quarkus-run.jar` and what it loads. */
export function installRegistry(cache: Cache): Promise<string> {
  const version = partNamed('registry').version;
  return installOnce(cache, 'registry', version, async (folder) => {
    cache.progress.busy('registry', `downloading ${version} (159 MB, once)`);
    const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`;
    const download = join(folder, '.download');
    mkdirSync(download);
    await maven(cache, [`${plugin}:copy`, `-Dartifact=${artifact}`, `-DoutputDirectory=${download}`]);
    const archive = join(download, readdirSync(download).find((name) => name.endsWith('.tar.gz'))!);
    await exec('tar', ['-xzf', archive, '-C', folder], {
      remedy: 'Check the free disk space and run this again.',
    });
    rmSync(download, { recursive: true });
  });
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

function kafkaProject(version: string): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>emulsion</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
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
