import { outcomeOfReturned } from '../../pipelines/jobs/returned.ts';
import type { BuildResult } from '../../pipelines/model/job.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { Programs, ResumeInput, StageInput, StageResult } from '../../workflows/contract.ts';
import { wasCanceled } from '../failure.ts';
import type { Container, ContainerEngine } from '../ports.ts';
import { cleanUp, passed, runPost, runPrograms, type Verdict } from './course.ts';
import { type ScriptContext, Session } from './program.ts';
import { everyProgram, fillWorkspace, otherPrograms, type WorkspaceDeps } from './workspace.ts';

export interface ScriptDeps extends WorkspaceDeps {
  readonly engine: ContainerEngine;
  /** @throws for a label that nobody knows. */
  readonly platform: (label: string) => Platform;
  /** Label of the container for jobs without nodes. */
  readonly defaultLabel: string;
  /** Task queue of this machine, where paused jobs keep their containers. */
  readonly host: string;
}

/** Runs the programs of jobs. */
export interface ScriptStage {
  run(input: StageInput, context: ScriptContext): Promise<StageResult>;
  /** Ends a job that was paused, in the container that it has kept. */
  resume(input: ResumeInput, context: ScriptContext): Promise<StageResult>;
}

const none: Programs = { preRun: [], run: [], postRun: [], failureOutput: [], preTimeout: null, postTimeout: null };

export function createScriptStage(deps: ScriptDeps): ScriptStage {
  return {
    async run(input, context) {
      const scripts = everyProgram(input.programs ?? none);
      const playbook = scripts.find(({ path }) => /\.ya?ml$/.test(path));
      if (playbook) return failed('ERROR', `${playbook.path} is an Ansible playbook: only programs are run`);
      const { checkouts, lost } = await otherPrograms(deps, input, scripts);
      if (lost) return failed('ERROR', `${lost.path} is in ${lost.project}, which has no branch ${lost.branch} here`);
      const container = await startContainer(deps, input);
      return inContainer(new Session({ input, context, container }), async (session) => {
        const { workdir, signal } = context;
        await fillWorkspace(deps, { input, container, checkouts, workdir, signal });
        const verdict = await runPrograms(session, input.programs ?? none);
        if (verdict.result === 'SUCCESS' && session.returned.pause) return pausedResult(session, verdict, deps.host);
        return end(session, verdict);
      });
    },

    async resume({ stage: input, returned, abandoned }, context) {
      const container = await deps.engine.find(input.build.id);
      if (container === null)
        return failed(abandoned ? 'CANCELED' : 'RETRY', 'the container of the paused job is gone');
      return inContainer(new Session({ input, context, container }, returned), async (session) => {
        if (!abandoned) return end(session, passed(input.programs ?? none));
        await cleanUp(session, input.programs ?? none);
        return failed('CANCELED', 'cancelled');
      });
    },
  };
}

/** Removes the container after the work, unless the job pauses. A cancelled job cleans up before. */
async function inContainer(session: Session, work: (session: Session) => Promise<StageResult>): Promise<StageResult> {
  const { container, context, input } = session;
  let kept = false;
  try {
    const result = await work(session);
    kept = result.paused !== undefined;
    return result;
  } catch (error) {
    if (wasCanceled(context.signal)) await cleanUp(session, input.programs ?? none);
    throw error;
  } finally {
    if (!kept) await container.remove();
  }
}

async function end(session: Session, verdict: Verdict): Promise<StageResult> {
  const { result, summary } = await runPost(session, session.input.programs ?? none, verdict);
  return { result, summary, ...outcomeOfReturned(session.returned) };
}

function pausedResult({ returned }: Session, { result, summary }: Verdict, queue: string): StageResult {
  const pause = `${summary}; it pauses until the jobs that depend on it have ended`;
  return { result, summary: pause, ...outcomeOfReturned(returned), paused: { queue, returned } };
}

function failed(result: BuildResult, summary: string): StageResult {
  return { result, summary, artifacts: [] };
}

function startContainer(
  { engine, platform, defaultLabel }: ScriptDeps,
  { nodes, build }: StageInput,
): Promise<Container> {
  const { buildImage, limits } = platform(nodes[0]?.label ?? defaultLabel);
  return engine.start({ image: buildImage, build: build.id, network: 'default', limits, privileges: 'default' });
}
