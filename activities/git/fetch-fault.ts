import type { ProcessError } from '../process/run.ts';

/** What git and curl say of a host that is away, or cannot answer as it should now. */
const passing: readonly RegExp[] = [
  /could not resolve host|failed to connect|couldn't connect|connection (?:refused|reset|timed out)|timed? ?out/i,
  /early EOF|unexpected disconnect|remote end hung up|empty reply|transfer closed|(?:network|host) is unreachable/i,
  /\b(?:returned error:|HTTP) (?:408|429|5\d\d)\b/,
];

/** Why git did not fetch. */
interface FetchFault {
  /** In its own words, on one line, without directories of this machine. */
  readonly said: string;
  /** Another try may mend it: it is about the way, and not about what was asked for. */
  readonly mayPass: boolean;
}

/** What is to be said of a fetch that has failed. */
export function fetchFault({ result: { stderr, timedOut } }: Pick<ProcessError, 'result'>): FetchFault {
  if (timedOut) return { said: 'the host took too long', mayPass: true };
  const lines = stderr.trim().split('\n');
  const told = lines.find((line) => line.startsWith('fatal: ')) ?? lines.at(-1) ?? '';
  const said = told.replace(/^fatal: /, '').replace(/(?<=[\s'"=]|^)\/[^\s'"]+/g, '…');
  return { said, mayPass: passing.some((pattern) => pattern.test(stderr)) };
}
