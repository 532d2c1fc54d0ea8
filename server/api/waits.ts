import { jobWait, withTaken } from '../../pipelines/report/job-wait.ts';
import { releaseWait } from '../../pipelines/report/release-wait.ts';
import type { BuildRecord, QueueSnapshot } from '../../workflows/contract.ts';
import type { ServerDeps } from '../deps.ts';

/** Of how many workflows Temporal is asked at once. */
const mostAsked = 20;

/** Milliseconds after which a killed worker's silence can have been noticed. */
const noticed = 15_000;

/** The builds that have not ended. */
export const runningBuilds = { running: true, limit: 500 } as const;

type Deps = Pick<ServerDeps, 'pendingSteps'>;

/**
 * Releases and plans, of which the newest that are on their way say what they wait for.
 *
 * @param workflowOf undefined of one that is not on its way
 */
export function withReleaseWaits<T extends { readonly summary: string }>(
  { pendingSteps }: Deps,
  records: readonly T[],
  workflowOf: (record: T) => string | undefined,
): Promise<T[]> {
  const asked = new Set(records.filter((record) => workflowOf(record) !== undefined).slice(0, mostAsked));
  return Promise.all(
    records.map(async (record) => {
      const workflow = asked.has(record) ? workflowOf(record) : undefined;
      if (workflow === undefined) return record;
      return { ...record, summary: releaseWait((await pendingSteps?.(workflow)) ?? []) ?? record.summary };
    }),
  );
}

/** Builds, of which those that were interrupted say so. */
export async function withInterruptions(deps: Deps, builds: readonly BuildRecord[]): Promise<BuildRecord[]> {
  const words = await interruptions(deps, builds);
  return builds.map((build) => ({ ...build, summary: words.get(build.id) ?? build.summary }));
}

/**
 * Queues whose jobs say what only the running builds tell: that their worker was lost, or which jobs have the places
 * that they wait for.
 *
 * @param running the builds that have not ended
 */
export async function withWaits(
  deps: Deps,
  queues: readonly QueueSnapshot[],
  running: readonly BuildRecord[],
): Promise<QueueSnapshot[]> {
  const words = await interruptions(deps, running);
  const lost = new Map(
    running.map(({ id, pipeline, buildSet, job }) => [`${pipeline} ${buildSet} ${job}`, words.get(id)]),
  );
  const taken = running.filter(takesPlace).map(({ job, change }) => `${job} of ${change}`);
  return queues.map(({ items, ...queue }) => ({
    ...queue,
    items: items.map(({ jobs, ...item }) => ({
      ...item,
      jobs: jobs.map((job) => {
        if (job.result !== null) return job;
        if (job.startTime === null) return { ...job, waiting: job.waiting.map((reason) => withTaken(reason, taken)) };
        const said = lost.get(`${queue.pipeline} ${item.buildSet} ${job.name}`);
        return said === undefined ? job : { ...job, waiting: [said] };
      }),
    })),
  }));
}

/** All queues, as `withWaits` has them. */
export async function queuesNow(deps: Deps & Pick<ServerDeps, 'store'>): Promise<QueueSnapshot[]> {
  const [queues, running] = await Promise.all([deps.store.listQueues(), deps.store.listBuilds(runningBuilds)]);
  return withWaits(deps, queues, running);
}

/** Id of each build that was interrupted to words about it. Those that have run longest are asked about. */
async function interruptions({ pendingSteps }: Deps, builds: readonly BuildRecord[]): Promise<Map<string, string>> {
  if (pendingSteps === undefined) return new Map();
  const old = Date.now() - noticed;
  const asked = builds
    .filter((build) => takesPlace(build) && build.endTime === null && build.startTime < old)
    .toSorted((a, b) => a.startTime - b.startTime)
    .slice(0, mostAsked);
  const told = await Promise.all(
    asked.map(async ({ id, workflow }) => [id, jobWait(await pendingSteps(workflow))] as const),
  );
  return new Map(told.flatMap(([id, said]) => (said === null ? [] : [[id, said]])));
}

/** Whether it is at work on a worker. */
function takesPlace({ waiting, stage, result }: BuildRecord): boolean {
  return result === null && waiting !== true && stage !== 'noop' && stage !== 'release';
}
