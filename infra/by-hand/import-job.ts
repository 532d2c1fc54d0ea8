import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lease, Provider } from '../../activities/nodes/port.ts';
import { sizedLease } from '../../activities/nodes/sized-lease.ts';
import type { BuildLog } from '../../activities/ports.ts';
import type { ScriptContext } from '../../activities/script/context.ts';
import type { StageDeps } from '../../activities/stages.ts';
import type { ExportDescription } from '../../pipelines/export/description.ts';
import type { PendingBuild } from '../../pipelines/jobs/pending.ts';
import type { BuildOutcome } from '../../pipelines/jobs/state.ts';
import type { FrozenJob } from '../../pipelines/model/job.ts';
import { splitBySight } from '../../pipelines/model/lines-seen.ts';
import type { ReleaseRules } from '../../pipelines/model/release-line.ts';
import type { JobStart, PausedStage, StageInput, StageResult } from '../../workflows/contract.ts';
import { jobInput } from '../../workflows/job-input.ts';
import { outcomeOf, stageInput } from '../../workflows/job-stage.ts';
import { addressed, type Surroundings } from '../common/addressed.ts';
import { handContext, openLog, withMachines } from './context.ts';
import type { CheckedExport, Place } from './import-place.ts';
import type { Attempted, Attempts } from './import-run.ts';

export interface ImportedJobs {
  readonly of: CheckedExport;
  readonly place: Place;
  readonly stages: StageDeps;
  readonly surroundings: Surroundings;
  readonly provider: Provider;
  /** Directory of the logs, and one for work. */
  readonly logs: string;
  readonly work: string;
  readonly slots: number;
  /** Why a job is not run here; undefined for one that is. */
  readonly unfit: (build: PendingBuild) => BuildOutcome | undefined;
  readonly onProgress: (line: string) => void;
}

/** Attempts at the jobs of an export, by the stages that the gate runs. */
export function attemptsAt(jobs: ImportedJobs): Attempts {
  /** Build key to the id under which its machines are known. */
  const ids = new Map<string, string>();
  const told = (build: PendingBuild, attempted: Attempted): Attempted => {
    const { result, summary } = attempted.outcome;
    const { paused } = jobs.of.description.jobs.find(({ key }) => key === build.job.key) ?? {};
    // Who lends nodes to an import goes by what was so then.
    const pauses = paused === false ? 'pauses, which it did not when it was exported' : 'pauses';
    jobs.onProgress(`${build.key}: ${attempted.paused ? pauses : result}: ${summary}`);
    return attempted;
  };
  return {
    slots: jobs.slots,
    async begin(build, signal) {
      const unfit = jobs.unfit(build);
      if (unfit !== undefined) return told(build, { outcome: unfit });
      const id = `import-${randomBytes(6).toString('hex')}`;
      ids.set(build.key, id);
      jobs.onProgress(`${build.key} begins`);
      const work = (input: StageInput, context: ScriptContext) => runnerFor(jobs.stages, input)(input, context);
      return told(build, await attempt(jobs, { build, id, signal, log: build.key }, work));
    },
    async resume(build, { returned }, abandoned) {
      const id = ids.get(build.key) ?? '';
      const signal = new AbortController().signal;
      const work = (stage: StageInput, context: ScriptContext) =>
        jobs.stages.script.resume({ stage, returned, abandoned }, context);
      return told(build, await attempt(jobs, { build, id, signal, log: `${build.key}-resumed` }, work));
    },
  };
}

type Runner = (input: StageInput, context: ScriptContext) => Promise<StageResult>;

function runnerFor({ stages, script }: StageDeps, { stage }: StageInput): Runner {
  const runner = stage === 'script' ? script.run : stages[stage];
  return runner ?? (async () => ({ result: 'ERROR', summary: `there is no stage ${stage} here`, artifacts: [] }));
}

interface Attempt {
  readonly build: PendingBuild;
  readonly id: string;
  readonly signal: AbortSignal;
  /** What its log is called. */
  readonly log: string;
}

async function attempt(
  jobs: ImportedJobs,
  { build, id, signal, log: called }: Attempt,
  work: Runner,
): Promise<Attempted> {
  const log = await openLog(join(jobs.logs, `${fileName(called)}.log`), () => {});
  const workdir = await mkdtemp(join(jobs.work, `${id}-`));
  try {
    const input = await addressed(inputOf(jobs, build, id), jobs.surroundings);
    const { provider } = jobs;
    const result = await verdict({ input, id, signal, log, workdir, provider }, work);
    log.section(`${result.result}: ${result.summary}`);
    return attemptedBy(result);
  } finally {
    await log.close();
    await rm(workdir, { recursive: true, force: true, maxRetries: 3 });
  }
}

function attemptedBy(result: StageResult): Attempted {
  const outcome = outcomeOf(result, Date.now());
  return result.paused === undefined ? { outcome } : { outcome, paused: result.paused satisfies PausedStage };
}

interface Running {
  readonly input: StageInput;
  readonly id: string;
  readonly signal: AbortSignal;
  readonly log: BuildLog;
  readonly workdir: string;
  readonly provider: Provider;
}

/** A fault of the infrastructure is worth another attempt, as it is for the gate; an engine that is away is not. */
async function verdict({ input, id, signal, log, workdir, provider }: Running, work: Runner): Promise<StageResult> {
  const { timeout, stage } = input;
  const limit = timeout === null || stage === 'script' ? undefined : AbortSignal.timeout(timeout * 1000);
  const either = limit === undefined ? signal : AbortSignal.any([signal, limit]);
  let failing: string | undefined;
  const heard = async (line: string) => {
    failing ??= line;
  };
  try {
    const run = (lease: Lease) =>
      work(input, {
        ...handContext({ log, workdir, signal: either, lease: sizedLease(lease, input.nodes) }),
        failing: heard,
      });
    const result = await withMachines(id, run, provider);
    if (failing === undefined || result.result !== 'SUCCESS') return result;
    return { ...result, result: 'FAILURE', summary: `failure-output: ${failing}` };
  } catch (error) {
    if (signal.aborted) return { result: 'CANCELED', summary: 'cancelled', artifacts: [] };
    const late = `not done after ${timeout} seconds, the job's timeout`;
    if (limit?.aborted) return { result: 'TIMED_OUT', summary: late, artifacts: [] };
    if (error instanceof Error && error.name === 'EngineUnavailable') throw error;
    return { result: 'RETRY', summary: (error as Error).message, artifacts: [] };
  }
}

/** What the job was given then, with what its parents have made here. */
function inputOf({ of, place }: ImportedJobs, build: PendingBuild, id: string): StageInput {
  const { buildSet, release } = of.description;
  const { tenant, pipeline, key } = buildSet;
  const stored = { ...of.stored, reconfigured: [], released: place.seen };
  const permissions = { waiting: {}, refused: {}, artifacts: {}, priority: 0 };
  const opened = { ...build, job: unsealed(build.job) };
  const input = jobInput({ buildSet: { tenant, pipeline, key, permissions }, stored }, opened);
  const time = Date.now();
  const who = { build: id, attempt: build.attempt, queue: '', adopted: false, alone: true, unreleased: [], time };
  const start: JobStart = { ...who, released: place.seen };
  const given = stageInput(input, start);
  const { branch } = given.build;
  return { ...given, provided: splitBySight(rulesOf(release), { branch, provided: given.provided }).seen };
}

/** No seal is in an export, nor cipher text: whoever gives its secrets has looked at what sees them. */
function unsealed(job: FrozenJob): FrozenJob {
  if (job.secrets.length === 0) return job;
  return { ...job, seal: 'imported', secrets: job.secrets.map((secret) => ({ ...secret, encrypted: '' })) };
}

/** What was released where, as the exporting installation had it. */
export function rulesOf({ rules }: ExportDescription['release']): ReleaseRules {
  return rules as unknown as ReleaseRules;
}

/** A job's key in the name of a file. */
function fileName(key: string): string {
  return key.replace(/[^A-Za-z0-9._-]+/g, '-');
}
