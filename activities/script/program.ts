import { nothingReturned, type Returned, readReturned } from '../../pipelines/jobs/returned.ts';
import type { BuildResult, Playbook } from '../../pipelines/model/job.ts';
import { matchesStart } from '../../pipelines/policy/pattern.ts';
import type { StageInput } from '../../workflows/contract.ts';
import type { Machine } from '../nodes/port.ts';
import type { BuildLog } from '../ports.ts';
import type { ScriptContext } from './context.ts';
import type { SecretFiles } from './secrets.ts';
import { inside, programPath, user, variablesPath } from './workspace.ts';

/** Where a program leaves what it returns. */
const returnPath = `${inside}/.sluice-return.json`;
/** Bytes that a job may return: they travel with the job's result. */
const returnLimit = 64 * 1024;

/** Characters of a line that are looked at. */
const longestLine = 10_000;

/** A job whose programs run one after the other. */
export class Session {
  readonly input: StageInput;
  readonly context: ScriptContext;
  readonly machine: Machine;
  readonly secrets: SecretFiles;
  returned: Returned;
  /** The line of the output by which the job fails, whatever its programs end with. */
  failing: string | undefined;

  constructor(parts: Pick<Session, 'input' | 'context' | 'machine' | 'secrets'>, returned: Returned = nothingReturned) {
    this.input = parts.input;
    this.context = parts.context;
    this.machine = parts.machine;
    this.secrets = parts.secrets;
    this.returned = returned;
  }
}

/** How a program is run. */
export interface ProgramOptions {
  readonly phase: 'pre-run' | 'run' | 'post-run';
  readonly signal: AbortSignal;
  /** Seconds; null is no limit. */
  readonly timeout: number | null;
  /** For programs of `post-run`: whether all went well so far. */
  readonly success?: boolean;
}

/** Why a program did not end well; undefined when it did. */
export interface ProgramFault {
  readonly result: Extract<BuildResult, 'FAILURE' | 'TIMED_OUT' | 'ERROR'>;
  readonly summary: string;
}

/** Runs one program, and takes in what it returns. */
export async function runProgram(
  session: Session,
  script: Playbook,
  options: ProgramOptions,
): Promise<ProgramFault | undefined> {
  const { input, context, machine, secrets } = session;
  const { phase, signal, timeout } = options;
  context.log.section(`${phase} ${script.path}`);
  const watch = phase === 'run' ? watchOutput(session) : { log: context.log, told: async () => {} };
  const room = { machine, inside, user, signal };
  const program = programPath(input, script);
  const { code, output, timedOut } = await secrets.show({ script, program }, room, (place) =>
    machine.exec([place.program], {
      user,
      cwd: `${inside}/${input.source.project}`,
      env: { ...environment(input, options), ...place.env },
      log: watch.log,
      signal,
      ...(timeout === null ? {} : { timeout: Math.max(1, timeout * 1000) }),
    }),
  );
  await watch.told();
  const fault = await takeReturned(session, signal);
  if (timedOut) return { result: 'TIMED_OUT', summary: `${script.path} was not done in time` };
  if (code !== 0) {
    const last = output.trim().split('\n').at(-1) ?? '';
    return { result: 'FAILURE', summary: `${script.path} ended with ${code}${last === '' ? '' : `: ${last}`}` };
  }
  return fault === undefined ? undefined : { result: 'ERROR', summary: `${script.path}: SLUICE_RETURN: ${fault}` };
}

function environment({ build }: StageInput, { success }: ProgramOptions): Record<string, string> {
  return {
    HOME: inside,
    SLUICE_JOB: build.job,
    SLUICE_CHANGE: build.change,
    SLUICE_VARIABLES: variablesPath,
    SLUICE_RETURN: returnPath,
    ...(success === undefined ? {} : { SLUICE_SUCCESS: String(success) }),
  };
}

/** Looks at each line that is printed, until one says that the job fails. */
function watchOutput(session: Session): { readonly log: BuildLog; readonly told: () => Promise<void> } {
  const { context, input } = session;
  const { log } = context;
  const patterns = input.programs?.failureOutput ?? [];
  let told = Promise.resolve();
  if (patterns.length === 0 || session.failing !== undefined) return { log, told: () => told };
  let rest = '';
  const look = (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()?.slice(0, longestLine) ?? '';
    const line = lines.find((one) => patterns.some((pattern) => matchesStart(pattern, one)));
    if (line === undefined || session.failing !== undefined) return;
    session.failing = line.slice(0, 300);
    told = context.failing(session.failing).catch((error) => log.write(`cannot say so at once: ${error}\n`));
  };
  const watched: BuildLog = {
    write: (text) => {
      log.write(text);
      if (session.failing === undefined) look(text);
    },
    section: (title) => log.section(title),
    close: () => log.close(),
  };
  return {
    log: watched,
    told: () => {
      look('\n');
      return told;
    },
  };
}

/** Reads the file as the programs' own user would, and removes it: the next program returns something of its own. */
async function takeReturned(session: Session, signal: AbortSignal): Promise<string | undefined> {
  const command = `if test -f "$0"; then head -c ${returnLimit + 1} "$0"; fi; rm -rf "$0"`;
  const { output } = await session.machine.exec(['/bin/sh', '-c', command, returnPath], { user, signal });
  if (output === '') return undefined;
  if (Buffer.byteLength(output) > returnLimit) return `it holds more than ${returnLimit} bytes`;
  const read = readReturned(output, session.returned);
  if ('fault' in read) return read.fault;
  if (JSON.stringify(read.returned).length > returnLimit) return `the job has returned more than ${returnLimit} bytes`;
  session.returned = read.returned;
  return undefined;
}
