import {
  CancellationScope,
  executeChild,
  isCancellation,
  proxyActivities,
  rootCause,
  workflowInfo,
} from '@temporalio/workflow';
import type { ReleaseActivities } from '../activities/release/release-activities.ts';
import type { PreparedRelease, ReleasedPackage, ReleaseRecord } from '../activities/report/types.ts';
import type { SignActivities } from '../activities/sign/sign-activities.ts';
import type { PackagesMetadata } from '../pipelines/model/artifact.ts';
import { control, heartbeatTimeout, stageActivities } from './activities.ts';
import { type ReleaseInput, type ReleaseRun, type StageResult, taskQueues } from './contract.ts';
import { type ReleaseName, rebuildId, releaseId, releaseRecordId } from './ids.ts';
import { requireId, requireInput } from './input.ts';
import { has } from './patches.ts';
import { notPublished, prepareBuild, publishBuild, refusal } from './release-publish.ts';
import { attributes } from './search-attributes.ts';

const retry = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' } as const;
const options = { startToCloseTimeout: '30m', heartbeatTimeout, retry } as const;
const steps = proxyActivities<ReleaseActivities>(options);
const signer = proxyActivities<SignActivities>({ taskQueue: taskQueues.sign, ...options });

/** What is shown beside a release holds it up for so long at most. */
const bounded = { ...options, scheduleToCloseTimeout: '1h' } as const;
const beside = {
  steps: proxyActivities<ReleaseActivities>(bounded),
  signer: proxyActivities<SignActivities>({ taskQueue: taskQueues.sign, ...bounded }),
};

/**
 * Runs the release that a job is, under an id that names what was merged: at most one at a time.
 *
 * @param ways `byBranch` is false for jobs that began before branches were in the name
 */
export function runRelease(run: ReleaseRun, { byBranch }: { readonly byBranch: boolean }): Promise<StageResult> {
  const { repository, merge } = byBranch ? nameOf(run) : firstNameOf(run);
  const { tenant, pipeline, project, change } = run.stage.build;
  return executeChild(release, {
    args: [run],
    workflowId: releaseId({ tenant, repository, merge }),
    staticSummary: `Release ${merge} for ${repository}`,
    staticDetails: `Promote or rebuild, sign, publish **${project}** as merged by ${change}, then start the mirrors.`,
    typedSearchAttributes: attributes({ tenant, pipeline, project, change, label: repository }),
  });
}

/** What is released: there is one at a time, whoever starts it. One commit may be released from several branches. */
function nameOf(run: ReleaseRun): ReleaseName {
  const name = firstNameOf(run);
  return { ...name, merge: `${name.merge} on ${run.stage.source.branch}` };
}

/** As the first version named it: without the branch. */
function firstNameOf({ stage: { build, nodes, source } }: ReleaseRun): ReleaseName {
  const merge = `${source.project}@${source.commit.slice(0, 12)}`;
  return { tenant: build.tenant, repository: nodes[0]?.label ?? build.job, merge };
}

/** @throws ApplicationFailure when the run bears neither the name of its release nor the one that it had first */
function requireOwnId(run: ReleaseRun): void {
  if (workflowInfo().workflowId !== releaseId(firstNameOf(run))) requireId(releaseId(nameOf(run)));
}

/**
 * After a merge: the gate's packages when the merged tree is the built one, else a build of the branch; signed,
 * attested, shown at once, then the mirrors. Every step may be repeated: killed anywhere, it goes on from there.
 * However it ends, its record says so; cancelled after it was shown it is a release like any other.
 */
export async function release(run: ReleaseRun): Promise<StageResult> {
  requireInput('release', run);
  requireOwnId(run);
  const { input, repositories, refused, waits = false, released } = await control.planRelease(run.stage);
  if (refused !== undefined) return { result: 'FAILURE', summary: refused, artifacts: [] };
  if (released !== undefined) return { result: 'SUCCESS', summary: `released already: ${released}`, artifacts: [] };
  const record = firstRecord(input, has('release-lines') ? repositories[0]?.name : undefined);
  let ended: Ended;
  let built: Built | undefined;
  try {
    await control.recordRelease(record);
    built = await chooseBuild(run, input).catch(refusedBuild);
    ended =
      'failure' in built ? { ...built.failure, built: null } : await (waits ? prepare : publish)({ input, built });
  } catch (error) {
    const summary = isCancellation(error)
      ? 'cancelled before anything was released'
      : (rootCause(error) ?? String(error));
    const over = { ...record, ...buildOf(built), state: 'failed', summary, endTime: Date.now() } as const;
    await CancellationScope.nonCancellable(() => control.recordRelease(over));
    throw error;
  }
  const { result, summary, artifacts } = ended;
  await CancellationScope.nonCancellable(() => conclude(run, { ...record, repositories }, ended));
  return { result, summary, artifacts };
}

/** How a release went; `built` is what was released, null where nothing was. */
interface Ended extends StageResult {
  readonly built: Publication['built'] | null;
  readonly packages?: readonly ReleasedPackage[];
  /** The released repository; absent: the one that bears the format's name. */
  readonly repository?: string;
  /** Signed, and left for a release plan. */
  readonly prepared?: PreparedRelease;
}

async function conclude({ stage }: ReleaseRun, record: ReleaseRecord, ended: Ended): Promise<void> {
  const { built, summary, packages = [], repository, prepared } = ended;
  // A package that leaves this platform out has nothing to release there, which is no failure.
  const states = { SUCCESS: 'published', SKIPPED: 'excluded' } as const;
  const state = prepared === undefined ? (states[ended.result as keyof typeof states] ?? 'failed') : 'waiting';
  const origin = built?.origin ?? null;
  const left = { ...buildOf(built), ...(prepared === undefined ? {} : { prepared }) };
  await control.recordRelease({ ...record, state, origin, summary, packages, ...left, endTime: Date.now() });
  if (state !== 'published' || built === null) return;
  const where = repository === undefined ? {} : { repository };
  await control.startMirrors({ format: built.format, ...where, release: record.id });
  await control.retireTestRepositories({ pipeline: stage.build.pipeline, key: stage.build.buildSet });
}

type Built =
  | {
      readonly manifest: string;
      /** Builds for other architectures, from the same tree. */
      readonly beside: readonly string[];
      readonly format: 'deb' | 'rpm';
      readonly origin: 'promoted' | 'rebuilt';
      /** Absent where an earlier version of the worker has chosen it. */
      readonly build?: string;
    }
  | { readonly failure: StageResult };

async function chooseBuild(run: ReleaseRun, input: ReleaseInput): Promise<Built> {
  const plan = await steps.collect(input);
  const [promoted, ...others] = plan.promote;
  if (promoted) return { ...promoted, beside: others.map(({ manifest }) => manifest), origin: 'promoted' };
  const { stage } = run;
  const build = { ...stage.build, id: rebuildId(stage.build.id) };
  const again = { ...stage, stage: 'build', build, again: { whole: plan.rebuild[0]?.whole === true } } as const;
  const result = await stageActivities(run.queue, stage.timeout).runStage(again);
  if (result.result !== 'SUCCESS') return { failure: result };
  const packages = result.artifacts.find(({ metadata }) => metadata?.type === 'packages')?.metadata;
  if (packages) {
    const { manifest, format } = packages as PackagesMetadata;
    return { manifest, beside: [], format, origin: 'rebuilt', build: again.build.id };
  }
  return { failure: { ...result, result: 'ERROR', summary: 'the build left no packages' } };
}

function buildOf(built: Built | null | undefined): Pick<ReleaseRecord, 'build'> {
  return built != null && 'build' in built && built.build !== undefined ? { build: built.build } : {};
}

interface Publication {
  readonly input: ReleaseInput;
  readonly built: Exclude<Built, { failure: StageResult }>;
}

async function publish(publication: Publication): Promise<Ended> {
  const { built } = publication;
  const published = await publishBuild({ steps, signer, beside }, toPublish(publication)).catch(notPublished);
  if (published.refused !== undefined) return { result: 'FAILURE', summary: published.refused, artifacts: [], built };
  const { notes = [], ...rest } = published;
  const summary = [`${built.origin} ${namesOf(published.packages)}`, ...notes].join('; ');
  return { result: 'SUCCESS', summary, artifacts: [], ...rest, built };
}

/** All but showing it, which a release plan does. */
async function prepare(publication: Publication): Promise<Ended> {
  const { built } = publication;
  const done = await prepareBuild({ steps, signer }, toPublish(publication)).catch(refusal);
  if ('refused' in done) return { result: 'FAILURE', summary: done.refused, artifacts: [], built };
  const summary = `${built.origin} ${namesOf(done.packages)}, which waits for a release plan`;
  return { result: 'SUCCESS', summary, artifacts: [], ...done, built };
}

function toPublish({ input, built }: Publication) {
  return {
    input,
    manifest: built.manifest,
    beside: built.beside,
    release: `${input.merged.commit.slice(0, 12)}-${built.format}`,
  };
}

function namesOf(packages: readonly ReleasedPackage[]): string {
  // All of a package may have been built, and is released, on another platform.
  return [...new Set(packages.map((one) => `${one.name} ${one.version}`))].join(', ') || 'no packages of its own';
}

/** The same of what cannot even be chosen. */
function refusedBuild(error: unknown): Built {
  return { failure: { result: 'FAILURE', summary: refusal(error).refused, artifacts: [] } };
}

/** @param line absent: the record bears the name of the workflow */
function firstRecord(input: ReleaseInput, line: string | undefined): ReleaseRecord {
  const { tenant, project, branch, change, patchset, merged } = input;
  const workflow = workflowInfo().workflowId;
  return {
    ...(line === undefined ? { id: workflow } : { id: releaseRecordId({ workflow, line }), workflow }),
    ...{ tenant, project, branch, change, patchset },
    commit: merged.commit,
    tree: merged.tree,
    origin: null,
    state: 'running',
    summary: '',
    packages: [],
    repositories: [],
    startTime: Date.now(),
    endTime: null,
  };
}
