import { workerReason } from '../../pipelines/nodes/reason.ts';
import { jobWait, withTaken } from '../../pipelines/report/job-wait.ts';
import { type PendingStep, releaseWait } from '../../pipelines/report/release-wait.ts';
import { type Waits, waitKey, withWaits } from '../../web/waits.ts';
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

/** Builds, of which those that were interrupted say so. Those that have run longest are asked about. */
export async function withInterruptions(deps: Deps, builds: readonly BuildRecord[]): Promise<BuildRecord[]> {
  const steps = await stepsOf(deps, longestAtWork(builds));
  return builds.map((build) => ({ ...build, summary: jobWait(steps.get(build.id) ?? []) ?? build.summary }));
}

/**
 * What only Temporal tells of jobs in queues: that their worker was lost, or which jobs have the places of the very task
 * queue in which they wait. Those are asked about that have run, or waited, longest.
 *
 * @param running the builds that have not ended
 */
export async function findWaits(
  deps: Deps,
  queues: readonly QueueSnapshot[],
  running: readonly BuildRecord[],
): Promise<Waits> {
  const jobs = jobsWithBuilds(queues, running);
  const placeless = jobs
    .filter(({ job }) => job.startTime === null && job.waiting.includes(workerReason))
    .toSorted((a, b) => a.build.startTime - b.build.startTime)
    .slice(0, mostAsked);
  const atWork = longestAtWork(running);
  const steps = await stepsOf(deps, [...atWork, ...placeless.map(({ build }) => build)]);
  const queueOf = ({ id }: BuildRecord, begun: boolean) => steps.get(id)?.find((step) => step.begun === begun)?.queue;
  const lost = jobs.flatMap(({ key, job, build }) => {
    const said = job.startTime === null ? null : jobWait(steps.get(build.id) ?? []);
    return said === null ? [] : [[key, [said]] as const];
  });
  const waiting = placeless.map(({ key, job, build }) => {
    const queue = queueOf(build, false);
    const taken = queue === undefined ? [] : atWork.filter((one) => queueOf(one, true) === queue);
    const names = taken.map((one) => `${one.job} of ${one.change}`);
    return [key, job.waiting.map((reason) => withTaken(reason, names))] as const;
  });
  return Object.fromEntries([...lost, ...waiting]);
}

/** The jobs that have not ended and have a build, under the keys of `Waits`. */
function jobsWithBuilds(queues: readonly QueueSnapshot[], running: readonly BuildRecord[]) {
  const builds = Map.groupBy(
    running.filter(({ alone }) => !alone),
    ({ pipeline, buildSet, job, attempt }) => `${pipeline} ${buildSet} ${job} ${attempt}`,
  );
  return queues.flatMap((queue) =>
    queue.items.flatMap((item) =>
      item.jobs.flatMap((job) => {
        const found = builds.get(`${queue.pipeline} ${item.buildSet} ${job.name} ${job.attempt}`) ?? [];
        const [build] = found;
        // Jobs of several changes that are tested together may have one name.
        if (build === undefined || found.length > 1 || job.result !== null) return [];
        return [{ key: waitKey(queue, item, job), job, build }];
      }),
    ),
  );
}

/** All queues, with what only Temporal tells of their jobs. */
export async function queuesNow(deps: Deps & Pick<ServerDeps, 'store'>): Promise<QueueSnapshot[]> {
  const [queues, running] = await Promise.all([deps.store.listQueues(), deps.store.listBuilds(runningBuilds)]);
  const waits = await findWaits(deps, queues, running);
  return queues.map((queue) => withWaits(queue, waits));
}

function longestAtWork(builds: readonly BuildRecord[]): BuildRecord[] {
  const old = Date.now() - noticed;
  return builds
    .filter((build) => takesPlace(build) && build.endTime === null && build.startTime < old)
    .toSorted((a, b) => a.startTime - b.startTime)
    .slice(0, mostAsked);
}

/** Id of each build to the steps of its workflow. */
async function stepsOf({ pendingSteps }: Deps, builds: readonly BuildRecord[]) {
  if (pendingSteps === undefined) return new Map<string, readonly PendingStep[]>();
  return new Map(
    await Promise.all(builds.map(async ({ id, workflow }) => [id, await pendingSteps(workflow)] as const)),
  );
}

/** Whether it is at work on a worker. */
function takesPlace({ waiting, stage, result }: BuildRecord): boolean {
  return result === null && waiting !== true && stage !== 'noop' && stage !== 'release';
}
