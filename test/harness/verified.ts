import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { printReport } from '../../tools/verify/print.ts';
import type { VerifyReport } from '../../tools/verify/report.ts';
import { type VerifyOptions, verify } from '../../tools/verify/verify.ts';
import { openWorld } from '../../tools/verify/world.ts';
import type { World } from './world.ts';

/** What verify finds in a world as it stands; `env` says who it is that asks. */
export async function verified(
  world: Pick<World, 'env'>,
  options: Partial<VerifyOptions> = {},
): Promise<VerifyReport> {
  const dir = mkdtempSync(path.join(tmpdir(), 'emulsion-verify-'));
  const opened = await openWorld(world.env);
  try {
    return await verify(opened, { models: [], dir, ...options });
  } finally {
    await opened.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Throws with what differs, and the events behind it, unless every row and feed is what the log says. */
export async function expectVerified(world: Pick<World, 'env'>): Promise<VerifyReport> {
  const report = await verified(world);
  if (report.equal) return report;
  throw new Error(`The tables are not what the log says:\n${printReport(report)}`);
}
