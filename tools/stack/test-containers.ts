import { composeEnvironment, composeFile, composeProject } from '../../deploy/native/compose.ts';
import { resolvePaths } from '../../deploy/native/paths.ts';
import { type Environment, resolvePorts } from '../../deploy/native/ports.ts';

/**
 * Where an engine answers, the first server of a test stack is started by testcontainers, under the project name that
 * `up` then completes: its reaper removes the whole project when this process ends, however it ends. Not run where it
 * was written (see docker-compose.yml).
 */
export async function openReapedProject(env: Environment): Promise<void> {
  const { DockerComposeEnvironment } = await import('testcontainers');
  const paths = resolvePaths(env);
  const ports = resolvePorts(env);
  await new DockerComposeEnvironment(paths.repo, composeFile)
    .withProjectName(composeProject(ports))
    .withEnvironment(composeEnvironment(paths, ports))
    .up(['postgres']);
}
