import { readReturned } from '../../pipelines/jobs/returned.ts';
import { isPlaybook, type Playbook } from '../../pipelines/model/job.ts';
import { matchesStart } from '../../pipelines/policy/pattern.ts';
import type { StageInput } from '../../workflows/contract.ts';
import type { BuildLog } from '../ports.ts';
import { ansibleRunner } from './runner/ansible.ts';
import { programRunner } from './runner/program.ts';
import type { ProgramFault, ProgramOptions, Session } from './session.ts';
import { outputPath } from './variables.ts';
import { inside, programPath, takeText, user, variablesPath } from './workspace.ts';

/** Where a program leaves what it returns. */
const returnPath = `${inside}/.sluice-return.json`;
/** Bytes that a job may return: they travel with the job's result. */
const returnLimit = 64 * 1024;

/** Characters of a line that are looked at. */
const longestLine = 10_000;

/** Runs one program, and takes in what it returns. */
export async function runProgram(
  session: Session,
  script: Playbook,
  options: ProgramOptions,
): Promise<ProgramFault | undefined> {
  const { input, context, machine, secrets } = session;
  const { phase, signal, timeout } = options;
  const runner = isPlaybook(script) ? ansibleRunner : programRunner;
  context.log.section(`${phase} ${script.path}`);
  const watch = phase === 'run' ? watchOutput(session) : { log: context.log, told: async () => {} };
  const room = { machine, inside, user, signal };
  const program = programPath(input, script);
  const { ended, of } = await secrets.show({ script, program }, room, async (place) => {
    const of = { session, script, options, place };
    const { argv, env, end } = await runner.prepare(of);
    const limit = timeout === null ? {} : { timeout: Math.max(1, timeout * 1000) };
    const cwd = `${inside}/${input.source.project}`;
    const all = { ...environment(input, options), ...place.env, ...env };
    try {
      return { ended: await machine.exec(argv, { user, cwd, env: all, log: watch.log, signal, ...limit }), of };
    } finally {
      await end?.();
    }
  });
  await watch.told();
  const fault = await takeReturned(session, signal);
  const reason = await runner.judge(of, ended);
  if (ended.timedOut) {
    return { result: 'TIMED_OUT', summary: reason?.summary ?? `${script.path} was not done in time` };
  }
  if (reason !== undefined) return reason;
  return fault === undefined ? undefined : { result: 'ERROR', summary: `${script.path}: SLUICE_RETURN: ${fault}` };
}

function environment({ build }: StageInput, { success }: ProgramOptions): Record<string, string> {
  return {
    HOME: inside,
    SLUICE_JOB: build.job,
    SLUICE_CHANGE: build.change,
    SLUICE_VARIABLES: variablesPath,
    SLUICE_RETURN: returnPath,
    SLUICE_OUTPUT: outputPath,
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
  const output = await takeText(session.machine, { path: returnPath, limit: returnLimit + 1, signal });
  if (output === '') return undefined;
  if (Buffer.byteLength(output) > returnLimit) return `it holds more than ${returnLimit} bytes`;
  const read = readReturned(output, session.returned);
  if ('fault' in read) return read.fault;
  if (JSON.stringify(read.returned).length > returnLimit) return `the job has returned more than ${returnLimit} bytes`;
  session.returned = read.returned;
  return undefined;
}
