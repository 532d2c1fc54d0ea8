import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { Playbook } from '../../pipelines/model/job.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import type { Container, ContainerEngine, StageContext, StageRunner } from '../ports.ts';

export interface ScriptDeps {
  readonly engine: ContainerEngine;
  /** @throws for a label that nobody knows. */
  readonly platform: (label: string) => Platform;
  /** Label of the container for jobs without nodes. */
  readonly defaultLabel: string;
  /** Checks a commit out into a directory. */
  readonly sources: (state: SourceState, directory: string, signal: AbortSignal) => Promise<void>;
}

/** Where the sources are inside the container: one directory for each project. */
const inside = '/work';
const user = 'nobody';

/** Runs a job's programs one after the other; the first that fails is the verdict. */
export function createScriptStage(deps: ScriptDeps): StageRunner {
  return async (input, context) => {
    const scripts = input.scripts ?? [];
    const playbook = scripts.find(({ path }) => /\.ya?ml$/.test(path));
    if (playbook) return failed('ERROR', `${playbook.path} is an Ansible playbook: only programs are run`);
    const strange = scripts.find((script) => !sourceOf(input, script));
    if (strange) return failed('ERROR', `${strange.path} is in ${strange.project}, which the job has not checked out`);
    const container = await startContainer(deps, input);
    try {
      await checkOut(deps, { input, context, container });
      for (const script of scripts) {
        const verdict = await runScript(script, { input, context, container });
        if (verdict) return verdict;
      }
      return { result: 'SUCCESS', summary: `${scripts.map(({ path }) => path).join(', ')} succeeded`, artifacts: [] };
    } finally {
      await container.remove();
    }
  };
}

interface Run {
  readonly input: StageInput;
  readonly context: StageContext;
  readonly container: Container;
}

function failed(result: 'ERROR' | 'FAILURE', summary: string): StageResult {
  return { result, summary, artifacts: [] };
}

/** The state of the project that a script is in, as the job sees it. */
function sourceOf({ source, sources }: StageInput, { project }: Playbook): SourceState | undefined {
  return project === source.project ? source : sources.find((state) => state.project === project);
}

function startContainer({ engine, platform, defaultLabel }: ScriptDeps, { nodes, build }: StageInput) {
  const { buildImage, limits } = platform(nodes[0]?.label ?? defaultLabel);
  return engine.start({ image: buildImage, build: build.id, network: 'default', limits, privileges: 'default' });
}

async function checkOut(deps: ScriptDeps, { input, context, container }: Run): Promise<void> {
  const states = new Map([...input.sources, input.source].map((state) => [state.project, state]));
  for (const [project, state] of states) {
    const directory = join(context.workdir, project);
    await mkdir(directory, { recursive: true });
    await deps.sources(state, directory, context.signal);
    await mustExec(container, ['mkdir', '-p', `${inside}/${project}`], context.signal);
    await container.copyIn(directory, `${inside}/${project}`);
  }
  await mustExec(container, ['chown', '-R', user, inside], context.signal);
}

async function mustExec(container: Container, argv: readonly string[], signal: AbortSignal): Promise<void> {
  const { code, output } = await container.exec(argv, { signal });
  if (code !== 0) throw new Error(`cannot prepare the sources: ${argv[0]}: ${output}`);
}

/** @returns the verdict when the script fails */
async function runScript(script: Playbook, { input, context, container }: Run): Promise<StageResult | undefined> {
  const { log, signal } = context;
  log.section(`Run ${script.path}`);
  const program = `${inside}/${script.project}/${script.path}`;
  const env = { HOME: inside, SLUICE_JOB: input.build.job, SLUICE_CHANGE: input.build.change };
  const cwd = `${inside}/${input.source.project}`;
  const { code, output } = await container.exec([program], { user, cwd, env, log, signal });
  if (code === 0) return undefined;
  const last = output.trim().split('\n').at(-1) ?? '';
  return failed('FAILURE', `${script.path} ended with ${code}${last === '' ? '' : `: ${last}`}`);
}
