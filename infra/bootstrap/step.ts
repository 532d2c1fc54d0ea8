import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

/** Words to put before a command that needs the administrator's rights. */
export function asRoot(): readonly string[] {
  return process.getuid?.() === 0 ? [] : ['sudo'];
}

/** Debian's package manager without questions. Waits for one that is at work, as on a machine that was just started. */
export function aptGet(): readonly string[] {
  const wait = 'DPkg::Lock::Timeout=600'; // seconds
  return [...asRoot(), 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', wait];
}

/** Kept for the message when a command fails, in characters. */
const kept = 4_000;

/**
 * Runs one command of a step in the terminal's own session, where `sudo` can ask for a password and Ctrl-C ends it.
 *
 * @throws with the command and its last lines when it fails.
 */
export async function act(command: readonly string[], report: (line: string) => void): Promise<void> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['inherit', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output = `${output}${text}`.slice(-kept);
      const line = text.trimEnd().split('\n').at(-1)?.trim();
      if (line) report(line);
    });
  }
  const [code] = await once(child, 'close');
  if (code === 0) return;
  throw new Error(`${command.join(' ')} ended with ${code}:\n${output.trim().split('\n').slice(-8).join('\n')}`);
}
