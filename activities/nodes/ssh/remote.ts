import type { Line } from './line.ts';

/** A machine that is spoken to by ssh, and what programs are called by there. */
export interface Remote {
  readonly line: Line;
  /** Words before each command that root must run; none where the account is root. */
  readonly root: readonly string[];
  /** Runs a program in the group of all that is run from outside: `USER DIRECTORY [NAME=VALUE...] PROGRAM [ARGUMENT...]`. */
  readonly run: readonly string[];
  /** Ends everything in that group, at once. */
  readonly end: readonly string[];
}
