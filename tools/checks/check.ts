/** What one check found. `looked` counts what it examined: a check that looked at nothing has failed. */
export interface CheckResult {
  /** One sentence each, starting with the file it is about. */
  findings: string[];
  looked: number;
  /** What was counted, in the plural: "modules", "released schemas". */
  of: string;
}

export interface Check {
  name: string;
  about: string;
  /** `root` is the folder of the whole project, so that a test can plant violations in a copy. */
  run(root: string): Promise<CheckResult>;
}
