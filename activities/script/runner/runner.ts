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

/** What is started. */
interface Start {
  readonly argv: readonly string[];
  /** What its environment says besides that of every program. */
  readonly env: Readonly<Record<string, string>>;
  /** To be called when it has ended. */
  readonly end?: () => Promise<void>;
}

/** How one kind of program is run. */
export interface Runner {
  prepare(of: Running): Promise<Start>;
  /** Why it did not end well; nothing need be said of what was not done in time. */
  judge(of: Running, ended: ExecResult): Promise<ProgramFault | undefined>;
}
