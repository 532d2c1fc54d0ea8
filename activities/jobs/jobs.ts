import type { FrozenJob, ProvidedArtifact } from '../../pipelines/model/job.ts';
import { isNodeless } from '../../pipelines/nodes/wanted.ts';
import type { BeginJob } from '../../workflows/activities.ts';
import {
  type BuildRecord,
  type BuildSetRecord,
  type BuildSetStart,
  type GraphRef,
  type JobStart,
  jobEdition,
  type ReleasedGenerations,
  type ReuseOffer,
  type StoredGraph,
  taskQueues,
} from '../../workflows/contract.ts';
import { startRecord } from '../../workflows/job-record.ts';
import type { NodesNeed } from '../../workflows/nodes-contract.ts';
import { configurationFault } from '../failure.ts';
import type { BlobStore } from '../ports.ts';
import type { ReleasedTrees } from '../storage/port.ts';

export interface JobDeps {
  readonly blobs: Pick<BlobStore, 'read'>;
  /** Asks an open build set to take a run as its own; null when it is closed, or refuses. */
  readonly adopt: (input: BeginJob) => Promise<{ readonly attempt: number } | null>;
  /** Number of the latest recorded attempt at the job for the same patch set, pipeline and build set; 0 for none. */
  readonly latestAttempt: (input: BeginJob) => Promise<number>;
  /** Architecture of the workers for a node label; undefined for a label that nobody knows. */
  readonly archOf: (label: string) => string | undefined;
  /** Why nobody takes jobs on nodes of a label; null where somebody does, or may. Absent: nobody looks. */
  readonly whyUnserved?: (label: string) => Promise<string | null>;
  /** Whether a worker takes what is in a task queue. Absent: only of those that there always were. */
  readonly isServed?: (queue: string) => Promise<boolean>;
  /** Architecture of the workers for a job without nodes. */
  readonly defaultArch: string;
  /** Test repositories of merged changes that the job's released repository lacks. */
  readonly unreleased: (of: {
    readonly label: string;
    readonly branch: string;
  }) => Promise<readonly ProvidedArtifact[]>;
  /** Whether a test repository, named by its URL, is still there. */
  readonly isThere: (url: string) => Promise<boolean>;
  readonly released: Pick<ReleasedTrees, 'current' | 'has'>;
  /** Names of the released repositories that there may be. */
  readonly repositories: readonly string[];
  /** What a build may take over; undefined for other jobs. */
  readonly reuse?: (input: BeginJob) => Promise<ReuseOffer | undefined>;
  /** What the job's nodes take of a provider that has limits; undefined for one without, and jobs without nodes. */
  readonly nodesFor?: (job: FrozenJob) => NodesNeed | undefined;
  /** The queue of a job that runs at one place alone, or why it cannot run on its nodes. */
  readonly placeOf?: (job: FrozenJob) => Pick<JobStart, 'refused'> & { readonly queue?: string };
  readonly saveBuild: (record: BuildRecord) => Promise<unknown>;
  readonly saveBuildSet: (record: BuildSetRecord) => Promise<unknown>;
}

/** Milliseconds in which a worker with a free place has begun and said so, on a busy machine too. */
export const patience = 3_000;

/** Local activities of the server process: a few milliseconds each. */
export function createJobActivities(deps: JobDeps) {
  return {
    async beginJob(input: BeginJob): Promise<JobStart> {
      const placed = await queueFor(deps, input);
      const adopted = input.byHand && input.job.reportTo !== undefined ? await deps.adopt(input) : null;
      const alone = input.byHand && adopted === null;
      const nodes = deps.nodesFor?.(input.job.job);
      const reuse = await deps.reuse?.(input);
      const time = Date.now();
      const start = {
        edition: jobEdition,
        build: buildId(input),
        attempt: adopted?.attempt ?? (input.byHand ? (await deps.latestAttempt(input)) + 1 : input.job.attempt),
        ...placed,
        ...(nodes === undefined ? {} : { nodes }),
        ...(reuse === undefined ? {} : { reuse }),
        unreleased: await unreleasedFor(deps, input),
        released: await releasedFor(deps, alone ? undefined : input.job.released),
        adopted: adopted !== null,
        alone,
        patience,
        time,
      };
      await deps.saveBuild(startRecord(input.job, start, { workflow: input.workflow, run: input.run, time }));
      return start;
    },

    async beginBuildSet(input: { readonly record: BuildSetRecord; readonly graph: GraphRef }): Promise<BuildSetStart> {
      const stored = await readGraph(deps, input.graph);
      const unreleased: Record<string, readonly ProvidedArtifact[]> = {};
      const branch = stored.changes[0]?.branch ?? '';
      for (const label of labelsOf(stored)) unreleased[label] = await deps.unreleased({ label, branch });
      // In this order: what is released between the two is seen twice, and not missed.
      const released = await releasedFor(deps, undefined);
      await deps.saveBuildSet({ ...input.record, released });
      return { ...stored, unreleased, released };
    },
  };
}

/** Errors that no other try mends: the content is gone, or is no graph. */
const final: readonly string[] = ['NoSuchBlob', 'ZodError', 'SyntaxError'];

/** @throws a Configuration failure where there is none any more, or it is damaged */
export async function readGraph({ blobs }: Pick<JobDeps, 'blobs'>, { digest }: GraphRef): Promise<StoredGraph> {
  try {
    return JSON.parse((await blobs.read(digest)).toString('utf8'));
  } catch (error) {
    if (!(error instanceof Error) || !final.includes(error.name)) throw error;
    throw configurationFault(`there is no graph ${digest} any more: enqueue the change again`);
  }
}

/** Labels of the nodes of jobs that require something of others: only they are given it. */
function labelsOf({ graph }: StoredGraph): ReadonlySet<string> {
  const requiring = graph.jobs.filter(({ requires }) => requires.length > 0);
  const nodesets = requiring.flatMap(({ nodeset, alternatives }) => [nodeset, ...alternatives]);
  return new Set(nodesets.flatMap(({ nodes }) => nodes[0]?.label ?? []));
}

/** The generations that were seen at the start, where they are still there; else those that are shown now. */
async function releasedFor(
  { released, repositories }: JobDeps,
  seen: ReleasedGenerations | undefined,
): Promise<ReleasedGenerations> {
  const generationOf = async (repository: string) => {
    const generation = seen?.[repository];
    if (generation === null) return null;
    const kept = generation !== undefined && (await released.has({ repository, generation }));
    return kept ? generation : released.current(repository);
  };
  return Object.fromEntries(await Promise.all(repositories.map(async (name) => [name, await generationOf(name)])));
}

/** What has been released since the build set began is no longer there, and need not be. */
async function unreleasedFor(deps: JobDeps, { job: input }: BeginJob): Promise<readonly ProvidedArtifact[]> {
  const { job, provided } = input;
  const label = job.nodeset.nodes[0]?.label;
  if (job.requires.length === 0 || label === undefined) return [];
  const known = new Set(provided.map(({ url }) => url));
  const found = (input.unreleased ?? (await deps.unreleased({ label, branch: input.source.branch }))).filter(
    ({ url }) => !known.has(url),
  );
  const there = await Promise.all(found.map(({ url }) => deps.isThere(url)));
  return found.filter((_, index) => there[index]);
}

/** Unique for every run, and a path segment: the job's name and half of the run's random id. */
function buildId({ job, run }: BeginJob): string {
  const name = job.job.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  return `${name || 'job'}-${run.replaceAll('-', '').slice(-16)}`;
}

/** All nodes of a job are served by one worker, so they have one architecture. */
async function queueFor(deps: JobDeps, { job }: BeginJob): Promise<Pick<JobStart, 'queue' | 'refused'>> {
  const labels = job.job.nodeset.nodes.map(({ label }) => label);
  const unknown = labels.find((label) => deps.archOf(label) === undefined);
  const [first = deps.defaultArch, other] = new Set(labels.flatMap((label) => deps.archOf(label) ?? []));
  const queue = taskQueues.build(first);
  if (unknown !== undefined) {
    const known = "sluice.yaml's platforms and the built-in ones are known";
    return { queue, refused: `no platform is called "${unknown}": ${known}` };
  }
  if (other !== undefined) {
    return { queue, refused: `nodes of ${job.job.name} are of several architectures: ${first}, ${other}` };
  }
  const [label] = labels;
  const refused = label === undefined ? null : ((await deps.whyUnserved?.(label)) ?? null);
  if (refused !== null) return { queue, refused };
  return { queue: (await nodelessQueue(deps, job.job, first)) ?? queue, ...deps.placeOf?.(job.job) };
}

/** Where only workers of a version before that queue are, they find the job in that of builds. */
async function nodelessQueue({ isServed }: JobDeps, { uses }: FrozenJob, arch: string): Promise<string | undefined> {
  if (!isNodeless(uses)) return undefined;
  const queue = taskQueues.nodeless(uses, arch);
  return (await isServed?.(queue)) ? queue : undefined;
}
