import type { Playbook } from '../../../pipelines/model/job.ts';
import type { ExecResult } from '../../nodes/port.ts';
import type { Place } from '../secrets.ts';
import type { ProgramFault, ProgramOptions, Session } from '../session.ts';

/** A program of a job that is about to run, or has run. */
export interface Running {
  readonly session: Session;
  readonly script: Playbook;
  readonly options: ProgramOptions;
  readonly place: Place;
}

/** How one kind of program is run. */
export interface Runner {
  /** Its command line, and what its environment says besides that of every program. */
  prepare(of: Running): Promise<{ readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> }>;
  /** Why it did not end well; of what was not done in time nobody uses the answer. */
  judge(of: Running, ended: ExecResult): Promise<ProgramFault | undefined>;
}
