import { isFull } from '../activities/files/write.ts';

/** The command line's exit statuses: the same for every command. */
export const exitStatus = {
  done: 0,
  /** The thing asked for failed: a build, a check, a sync. */
  failed: 1,
  /** Bad usage or bad configuration. */
  usage: 2,
  /** No server, or no permission. */
  unavailable: 3,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

/** Ends the command: `message` (several lines at will) goes to standard error, without a stack. */
export class CommandError extends Error {
  readonly status: ExitStatus;

  constructor(status: ExitStatus, message: string) {
    super(message);
    this.name = 'CommandError';
    this.status = status;
  }
}

/** The thing asked for failed. An empty message says nothing more than what was printed. */
export function failed(message = ''): CommandError {
  return new CommandError(exitStatus.failed, message);
}

/** Bad usage, or input that cannot be read. */
export function misused(message: string): CommandError {
  return new CommandError(exitStatus.usage, message);
}

/** Nothing answers, or it refuses. */
export function unavailable(message: string): CommandError {
  return new CommandError(exitStatus.unavailable, message);
}

/** What an error says, and what to do where a disk is full. */
export function wordsOf(error: Error): string {
  return isFull(error) ? `${error.message}: make room there; \`df -h\` and \`df -i\` say what is full` : error.message;
}
