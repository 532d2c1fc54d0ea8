import type { BuildResult } from '../../pipelines/model/job.ts';
import type { Programs } from '../../workflows/contract.ts';
import { runProgram } from './program.ts';
import type { ProgramFault, Session } from './session.ts';

/** What a job's programs have come to. */
export interface Verdict {
  readonly result: BuildResult;
  readonly summary: string;
  /** Whether programs of `post-run` that fail leave the result as it is. */
  readonly final: boolean;
  /** How far down the job's variants `pre-run` got: nothing below is undone by `post-run`. */
  readonly level: number;
}

/** Seconds that the cleanup of a cancelled job may take for each program, where the job sets no `post-timeout`. */
const cleanupTimeout = 60;

/** Runs `pre-run`, and if all of it ends well, `run`: the first program that fails is the verdict. */
export async function runPrograms(session: Session, { preRun, run, preTimeout }: Programs): Promise<Verdict> {
  const { timeout } = session.input;
  const started = Date.now();
  const left = (limit: number | null) => (limit === null ? null : limit - (Date.now() - started) / 1000);
  const { signal } = session.context;
  for (const script of preRun) {
    const fault = await runProgram(session, script, { phase: 'pre-run', signal, timeout: left(preTimeout ?? timeout) });
    if (fault)
      return { result: preRunResult(session, fault), summary: fault.summary, final: true, level: script.level };
  }
  for (const script of run) {
    const fault = await runProgram(session, script, { phase: 'run', signal, timeout: left(timeout) });
    if (fault) return { ...fault, final: fault.result !== 'FAILURE', level: Number.POSITIVE_INFINITY };
  }
  return judge(session, passed({ run }));
}

/** The verdict when all of `run` ended well. */
export function passed({ run }: Pick<Programs, 'run'>): Verdict {
  const summary = `${run.map(({ path }) => path).join(', ')} succeeded`;
  return { result: 'SUCCESS', summary, final: false, level: Number.POSITIVE_INFINITY };
}

/** What comes before a job ought to work: another attempt may. */
function preRunResult({ returned }: Session, { result }: ProgramFault): BuildResult {
  if (result === 'ERROR') return 'ERROR';
  return returned.retry ? 'RETRY' : 'FAILURE';
}

/** A success that the output speaks against is none. */
function judge({ failing }: Session, verdict: Verdict): Verdict {
  if (failing === undefined) return verdict;
  return { ...verdict, result: 'FAILURE', summary: `failure-output: ${failing}` };
}

/** Runs `post-run`, all of it, whatever came before. */
export async function runPost(session: Session, programs: Programs, verdict: Verdict): Promise<Verdict> {
  const { signal } = session.context;
  let now = verdict;
  for (const script of programs.postRun.filter(({ level }) => level <= verdict.level)) {
    const success = now.result === 'SUCCESS';
    const options = { phase: 'post-run', signal, timeout: programs.postTimeout, success } as const;
    const fault = await runProgram(session, script, options);
    if (!fault || now.final || now.result === 'POST_FAILURE') continue;
    const summary = success ? fault.summary : `${now.summary}; ${fault.summary}`;
    now = { ...now, result: 'POST_FAILURE', summary };
  }
  return now;
}

/** After a cancellation: runs what must be cleaned up in any case, as far as that is possible. */
export async function cleanUp(session: Session, { postRun, postTimeout }: Programs): Promise<void> {
  const timeout = Math.max(0, Math.min(postTimeout ?? cleanupTimeout, cleanupTimeout));
  for (const script of postRun.filter(({ cleanup }) => cleanup)) {
    const signal = AbortSignal.timeout(2 * timeout * 1000);
    await runProgram(session, script, { phase: 'post-run', signal, timeout, success: false }).catch((error) =>
      session.context.log.write(`cannot clean up: ${error}\n`),
    );
  }
}
