import { setTimeout as pause } from 'node:timers/promises';
import type { Change } from '../pipelines/model/change.ts';
import type { BuildRecord, BuildSetRecord, StatusView } from '../server/api/types.ts';

/** The API of a running Sluice, as far as one looks. */
export interface Api {
  readonly url: string;
  get<T>(path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<T>;
}

/** Follows what a running Sluice does, by the same API that the page and the command line read. */
export interface Observer {
  /** The change that a push made. @throws when the server does not learn of it within half a minute. */
  change(changeId: string): Promise<Change>;
  /** Waits for the last word on a change in a pipeline, telling of each build that ends meanwhile. */
  verdict(change: Change, pipeline: string): Promise<Verdict>;
  /** Waits for the end of a certain attempt at a job. */
  attempt(change: Change, job: string, number: number): Promise<BuildRecord>;
  /** Waits until `found` answers, looking at the server's status twice a second. */
  until<T>(what: string, found: (status: StatusView) => T | undefined): Promise<T>;
}

export interface Verdict {
  readonly result: string;
  /** Every build set that the change had in the pipeline, oldest first: those before the last were reset. */
  readonly buildSets: readonly BuildSetRecord[];
  /** Builds of the last build set, oldest first. */
  readonly builds: readonly BuildRecord[];
}

const interval = 500;
/** How long no build may end until the story ends; milliseconds. */
const patience = 1_200_000;

/** @param tell receives a line for each build that ended */
export function createObserver(api: Api, tell: (line: string) => void): Observer {
  const told = new Set<string>();
  const builds = (change: Change, pipeline: string) =>
    api.get<BuildRecord[]>('/api/builds', { change: change.id, pipeline, limit: 200 });
  const tellEnded = (change: Change, all: readonly BuildRecord[]) => {
    for (const build of all.filter(({ id, endTime }) => endTime !== null && !told.has(id)).reverse()) {
      told.add(build.id);
      tell(describeBuild(change, build));
    }
  };
  return {
    async change(changeId) {
      return poll({ what: `the push of ${changeId}`, limit: 30_000 }, async () => {
        const open = await api.get<Change[]>('/api/changes');
        return open.find(({ message }) => message.includes(`Change-Id: ${changeId}`));
      });
    },
    async verdict(change, pipeline) {
      const look = async () => {
        const [sets, all] = await Promise.all([
          api.get<BuildSetRecord[]>('/api/buildsets', { change: change.id, pipeline, limit: 50 }),
          builds(change, pipeline),
        ]);
        tellEnded(change, all);
        const last = sets[0];
        if (!last || last.result === null || last.result === 'DEQUEUED') return undefined;
        const own = all.filter(({ buildSet }) => buildSet === last.key).reverse();
        return { result: last.result, buildSets: [...sets].reverse(), builds: own };
      };
      const what = `the verdict of ${pipeline} on ${change.key}`;
      return poll({ what, limit: patience, happened: () => told.size }, look);
    },
    attempt: (change, job, number) =>
      poll({ what: `attempt ${number} of ${job}`, limit: patience }, async () => {
        const all = await api.get<BuildRecord[]>('/api/builds', { change: change.id, job, limit: 50 });
        return all.find(({ attempt, endTime }) => attempt === number && endTime !== null);
      }),
    until: (what, found) =>
      poll({ what, limit: patience }, async () => found(await api.get<StatusView>('/api/status'))),
  };
}

interface Wait {
  readonly what: string;
  /** Milliseconds. */
  readonly limit: number;
  /** How much has happened: while that changes, the wait begins again. */
  readonly happened?: () => number;
}

async function poll<T>({ what, limit, happened = () => 0 }: Wait, look: () => Promise<T | undefined>): Promise<T> {
  let [end, before] = [performance.now() + limit, happened()];
  while (performance.now() < end) {
    const found = await look();
    if (found !== undefined) return found;
    if (happened() !== before) [end, before] = [performance.now() + limit, happened()];
    await pause(interval);
  }
  throw new Error(`${what} did not come within ${limit / 1000} seconds`);
}

function describeBuild(change: Change, build: BuildRecord): string {
  const seconds = ((build.endTime ?? build.startTime) - build.startTime) / 1000;
  const name = `${build.project} ${change.key}`;
  return `${name}  ${build.pipeline}  ${build.job}  ${build.result}  ${seconds.toFixed(1)} s  ${build.summary}`;
}
