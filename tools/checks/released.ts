import type { Check, CheckResult } from './check.ts';
import { incompatibilities } from './compatibility.ts';
import {
  type EventSchema,
  readEvents,
  releasedSubjects,
  releasedVersions,
  subjectOf,
} from './schema-files.ts';

/** Every current schema against every released version of its subject; none that was released may be gone. */
export function releaseFindings(root: string): string[] {
  const events = readEvents(root);
  const current = new Set(events.map((event) => subjectOf(event.record)));
  const gone = releasedSubjects(root).filter((subject) => !current.has(subject));
  return [
    ...gone.map(
      (subject) =>
        `schemas/released/${subject} was released, but no schema has that topic and name now; the log still holds it.`,
    ),
    ...events.flatMap((event) => eventFindings(root, event)),
  ];
}

function eventFindings(root: string, { file, record }: EventSchema): string[] {
  const subject = subjectOf(record);
  return releasedVersions(root, subject).flatMap(({ version, record: released }, index) => [
    ...(version === index + 1 ? [] : [`schemas/released/${subject} has no v${index + 1}.avsc.`]),
    ...incompatibilities(record, released).map(
      (why) => `${file}: ${record.name} is incompatible with released v${version}: ${why}.`,
    ),
  ]);
}

async function run(root: string): Promise<CheckResult> {
  return { findings: releaseFindings(root), looked: releasedSubjects(root).length, of: 'released subjects' };
}

export const released: Check = {
  name: 'released',
  about: 'schemas are FULL_TRANSITIVE with all released versions',
  run,
};
