import { outcomeOfReturned } from '../../pipelines/jobs/returned.ts';
import { type BuildResult, isPlaybook } from '../../pipelines/model/job.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { ResumeInput, StageInput, StageResult } from '../../workflows/contract.ts';
import { wasCanceled } from '../failure.ts';
import type { OpenSecrets } from '../secrets/port.ts';
import type { ScriptContext } from './context.ts';
import { cleanUp, passed, runPost, runPrograms, type Verdict } from './course.ts';
import { lendMachines } from './lend.ts';
import { keepOutput, type OutputStore } from './output.ts';
import { requiredProjects, roleProjects } from './required.ts';
import { preparePlaybooks } from './runner/ansible.ts';
import { withSecrets } from './secrets.ts';
import { Session } from './session.ts';
import {
  everyProgram,
  fillWorkspace,
  inside,
  noPrograms,
  otherPrograms,
  user,
  type WorkspaceDeps,
} from './workspace.ts';

export interface ScriptDeps extends WorkspaceDeps {
  /** @throws for a label that nobody knows. */
  readonly platform: (label: string) => Platform;
  /** Label of the machine for jobs without nodes. */
  readonly defaultLabel: string;
  /** Task queue of this machine, where paused jobs keep what they were lent. */
  readonly host: string;
  readonly openSecrets: OpenSecrets;
  /** Keeps the files that programs leave. */
  readonly store: OutputStore;
}

/** Runs the programs of jobs. */
export interface ScriptStage {
  run(input: StageInput, context: ScriptContext): Promise<StageResult>;
  /** Ends a job that was paused, on the machine that it has kept. */
  resume(input: ResumeInput, context: ScriptContext): Promise<StageResult>;
}

export function createScriptStage(deps: ScriptDeps): ScriptStage {
  const { openSecrets: open } = deps;
  return {
    run: (input, context) =>
      withSecrets({ open, input, context }, (guarded, secrets) => begin(deps, { input, context: guarded, secrets })),
    resume: ({ stage: input, returned, abandoned }, context) =>
      withSecrets({ open, input, context }, async (guarded, secrets) => {
        const machine = await context.lease.find();
        if (machine === null)
          return failed(abandoned ? 'CANCELED' : 'RETRY', 'the container of the paused job is gone');
        context.scrubBy?.(() => secrets.scrub(machine));
        const session = new Session({ input, context: guarded, machine, nodes: [], secrets }, returned);
        return cleanlyEnded(session, async () => {
          if (!abandoned) return end(deps, session, passed(input.programs ?? noPrograms));
          await cleanUp(session, input.programs ?? noPrograms);
          return failed('CANCELED', 'cancelled');
        });
      }),
  };
}

const cannotPause = 'it returned zuul.pause, and a job whose playbooks reach other nodes cannot pause';

/** A job before it has a machine. */
type Beginning = Pick<Session, 'input' | 'context' | 'secrets'>;

/** Runs a job's programs up to its end, or until it pauses. */
async function begin(deps: ScriptDeps, job: Beginning): Promise<StageResult> {
  const { input, context, secrets } = job;
  const scripts = everyProgram(input);
  const { checkouts, lost } = await otherPrograms(deps, input, scripts);
  if (lost) return failed('ERROR', `${lost.path} is in ${lost.project}, which has no branch ${lost.branch} here`);
  const { required, missing } = await requiredProjects(deps, input);
  if (missing) return failed('ERROR', `the required project ${missing.project} has no branch ${missing.branch} here`);
  const { roles, lost: rolesLost } = await roleProjects(deps, input, scripts);
  if (rolesLost) return failed('ERROR', rolesLost);
  const { machine, nodes } = await lendMachines(deps, job);
  context.scrubBy?.(async () => {
    for (const each of [machine, ...nodes.map((node) => node.machine)]) await secrets.scrub(each);
  });
  return cleanlyEnded(new Session({ ...job, machine, nodes }), async (session) => {
    const { workdir, signal } = context;
    const variables = await fillWorkspace(deps, { input, machine, nodes, checkouts, required, roles, workdir, signal });
    const unable = scripts.some(isPlaybook) ? await preparePlaybooks(session, variables) : undefined;
    if (unable) return failed('ERROR', unable);
    await secrets.prepare({ machine, inside, user, signal });
    const verdict = await runPrograms(session, input.programs ?? noPrograms);
    const pauses = verdict.result === 'SUCCESS' && session.returned.pause && !secrets.exposed;
    if (pauses && nodes.length > 0)
      return end(deps, session, { ...verdict, result: 'ERROR', summary: cannotPause, final: true });
    return pauses ? pausedResult(session, verdict, deps.host) : end(deps, session, verdict);
  });
}

/** A cancelled job cleans up. */
async function cleanlyEnded(session: Session, work: (session: Session) => Promise<StageResult>): Promise<StageResult> {
  const { context, input } = session;
  try {
    return await work(session);
  } catch (error) {
    if (wasCanceled(context.signal)) await cleanUp(session, input.programs ?? noPrograms);
    throw error;
  }
}

async function end({ store }: ScriptDeps, session: Session, verdict: Verdict): Promise<StageResult> {
  const { result, summary } = await runPost(session, session.input.programs ?? noPrograms, verdict);
  const { artifacts, url, remark } = await keepOutput(store, session);
  const { returned } = session;
  const remarks = [...returned.remarks, ...(remark === undefined ? [] : [remark])];
  const outcome = outcomeOfReturned({ ...returned, remarks }, url);
  return { result, summary, ...outcome, artifacts: [...artifacts, ...outcome.artifacts] };
}

function pausedResult({ returned }: Session, { result, summary }: Verdict, queue: string): StageResult {
  const pause = `${summary}; it pauses until the jobs that depend on it have ended`;
  return { result, summary: pause, ...outcomeOfReturned(returned), paused: { queue, returned } };
}

function failed(result: BuildResult, summary: string): StageResult {
  return { result, summary, artifacts: [] };
}
