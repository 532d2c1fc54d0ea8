import type { ProvidedArtifact } from '../../pipelines/model/job.ts';
import type { BeginJob } from '../../workflows/activities.ts';
import {
  type BuildRecord,
  type BuildSetRecord,
  type GraphRef,
  type JobStart,
  type StoredGraph,
  taskQueues,
} from '../../workflows/contract.ts';
import { startRecord } from '../../workflows/records.ts';
import { configurationFault } from '../failure.ts';
import type { BlobStore } from '../ports.ts';

export interface JobDeps {
  readonly blobs: Pick<BlobStore, 'read'>;
  /** Asks an open build set to take a run as its own; null when it is closed, or refuses. */
  readonly adopt: (input: BeginJob) => Promise<{ readonly attempt: number } | null>;
  /** Number of the latest recorded attempt at the job for the same patch set, pipeline and build set; 0 for none. */
  readonly latestAttempt: (input: BeginJob) => Promise<number>;
  /** Architecture of the workers for a node label; undefined for a label that nobody knows. */
  readonly archOf: (label: string) => string | undefined;
  /** Architecture of the workers for a job without nodes. */
  readonly defaultArch: string;
  /** Test repositories of merged changes that the released repository lacks, for a job on nodes of that label. */
  readonly unreleased: (label: string) => Promise<readonly ProvidedArtifact[]>;
  readonly saveBuild: (record: BuildRecord) => Promise<unknown>;
  readonly saveBuildSet: (record: BuildSetRecord) => Promise<unknown>;
}

/** Local activities of the server process: a few milliseconds each. */
export function createJobActivities(deps: JobDeps) {
  return {
    async beginJob(input: BeginJob): Promise<JobStart> {
      const adopted = input.byHand && input.job.reportTo !== undefined ? await deps.adopt(input) : null;
      const start = {
        build: buildId(input),
        attempt: adopted?.attempt ?? (input.byHand ? (await deps.latestAttempt(input)) + 1 : input.job.attempt),
        queue: queueFor(deps, input),
        unreleased: await unreleasedFor(deps, input),
        adopted: adopted !== null,
        alone: input.byHand && adopted === null,
        time: Date.now(),
      };
      await deps.saveBuild(startRecord(input.job, start, { workflow: input.workflow, time: start.time }));
      return start;
    },

    async beginBuildSet(input: { readonly record: BuildSetRecord; readonly graph: GraphRef }): Promise<StoredGraph> {
      await deps.saveBuildSet(input.record);
      return JSON.parse((await deps.blobs.read(input.graph.digest)).toString('utf8'));
    },
  };
}

/** Only jobs that require something of others are given it. */
async function unreleasedFor(
  deps: JobDeps,
  { job: { job, provided } }: BeginJob,
): Promise<readonly ProvidedArtifact[]> {
  const label = job.nodeset.nodes[0]?.label;
  if (job.requires.length === 0 || label === undefined) return [];
  const known = new Set(provided.map(({ url }) => url));
  return (await deps.unreleased(label)).filter(({ url }) => !known.has(url));
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
function queueFor(deps: JobDeps, { job }: BeginJob): string {
  const arches = job.job.nodeset.nodes.map(({ label }) => deps.archOf(label) ?? unknown(label));
  const [first = deps.defaultArch, other] = new Set(arches);
  if (other !== undefined) throw configurationFault(`nodes of ${job.job.name} are of several architectures`);
  return taskQueues.build(first);
}

function unknown(label: string): never {
  throw configurationFault(`no platform is called "${label}": sluice.yaml's platforms and the built-in ones are known`);
}
