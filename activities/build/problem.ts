import type { BuildResult } from '../../pipelines/model/job.ts';

/** The package cannot be built, and why, in one line: a verdict, not a fault. SKIPPED: it is not for this platform. */
export class BuildProblem extends Error {
  readonly result: BuildResult;

  constructor(message: string, result: BuildResult = 'FAILURE') {
    super(message);
    this.name = 'BuildProblem';
    this.result = result;
  }
}
