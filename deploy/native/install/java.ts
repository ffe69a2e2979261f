import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram } from '../exec.ts';
import { failure } from '../failure.ts';

type Jdk = { major: number; java: string };

/** The `java` of the newest JDK from `least` on: JAVA_HOME, the one on PATH, /usr/lib/jvm, /opt/java, SDKMAN. */
export function findJava(least: number, forPart: string): string {
  const found = candidates().flatMap((home) => jdkIn(home) ?? []);
  const newest = found.sort((a, b) => b.major - a.major)[0];
  if (newest && newest.major >= least) return newest.java;
  throw failure(
    `${forPart} needs Java ${least} or newer; ${newest ? `the newest found is ${newest.major}` : 'none was found'}.`,
    `Install a JDK ${least}+ (for example Temurin), or set JAVA_HOME to one, and run this again.`,
  );
}

function candidates(): string[] {
  const homes = process.env.JAVA_HOME ? [process.env.JAVA_HOME] : [];
  const onPath = findProgram('java');
  if (onPath) homes.push(dirname(dirname(realpathSync(onPath))));
  for (const folder of ['/usr/lib/jvm', '/opt/java', '/opt', join(homedir(), '.sdkman/candidates/java')]) {
    homes.push(...entries(folder).map((name) => join(folder, name)));
  }
  return homes;
}

/** Read from the `release` file each JDK has: no process is started to ask a version. */
function jdkIn(home: string): Jdk | undefined {
  try {
    const java = realpathSync(join(home, 'bin/java'));
    const version = /^JAVA_VERSION="(?:1\.)?(\d+)/m.exec(readFileSync(join(home, 'release'), 'utf8'))?.[1];
    return version ? { major: Number(version), java } : undefined;
  } catch {
    return undefined;
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
