import { asRoot } from '../../activities/process/in-terminal.ts';
import type { Part } from './tools.ts';

/** Something that a machine must have: as data, so that the doctor, the bootstrap and the tests read one list. */
export interface Step {
  /** What it is, as the head of a line. */
  readonly name: string;
  /** What it is for. */
  readonly why: string;
  /** Looks quickly, changes nothing. */
  check(): Promise<readonly Finding[]>;
  /** Makes good what `check` found. `report` gets lines of progress. */
  act(findings: readonly Finding[], report: (line: string) => void): Promise<void>;
}

export interface Finding {
  /** What is missing, by a name that users know. */
  readonly missing: string;
  readonly part: Part;
  /** The command that mends it, or a sentence where there is none. */
  readonly mend: string;
}

/** Parts without which a stack does all that it is asked for. */
const dispensable: ReadonlySet<Part> = new Set(['tests', 'older images']);

/** Whether a stack cannot do without what was not found. */
export function isNeeded({ part }: Finding): boolean {
  return !dispensable.has(part);
}

/** Debian's package manager without questions. Waits for one that is at work, as on a machine that was just started. */
export function aptGet(): readonly string[] {
  const wait = 'DPkg::Lock::Timeout=600'; // seconds
  return [...asRoot(), 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', wait];
}
