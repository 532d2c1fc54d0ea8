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

/** Milliseconds. */
interface Times {
  /** Between two looks. */
  readonly interval: number;
  /** How long nothing may go on, anywhere, until the story ends. */
  readonly patience: number;
}

const usual: Times = { interval: 500, patience: 1_200_000 };

/** @param tell receives a line for each build that ended */
export function createObserver(api: Api, tell: (line: string) => void, times = usual): Observer {
  const wait = <T>(what: string, look: () => Promise<T | undefined>) =>
    poll({ what, limit: times.patience, interval: times.interval, progress: () => progressOf(api) }, look);
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
      const what = `the push of ${changeId}`;
      return poll({ what, limit: 30_000, interval: times.interval, progress: async () => '' }, async () => {
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
      return wait(`the verdict of ${pipeline} on ${change.key}`, look);
    },
    attempt: (change, job, number) =>
      wait(`attempt ${number} of ${job}`, async () => {
        const all = await api.get<BuildRecord[]>('/api/builds', { change: change.id, job, limit: 50 });
        return all.find(({ attempt, endTime }) => attempt === number && endTime !== null);
      }),
    until: (what, found) => wait(what, async () => found(await api.get<StatusView>('/api/status'))),
  };
}

interface Wait {
  readonly what: string;
  /** Milliseconds. */
  readonly limit: number;
  readonly interval: number;
  /** How far all has come: asked when the time is over, which begins again where that is another than before. */
  readonly progress: () => Promise<string>;
}

async function poll<T>({ what, limit, interval, progress }: Wait, look: () => Promise<T | undefined>): Promise<T> {
  let [end, before] = [performance.now() + limit, await progress()];
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() >= end) {
      const now = await progress();
      if (now === before) throw new Error(`${what} did not come, and nothing went on for ${limit / 1000} seconds`);
      [end, before] = [performance.now() + limit, now];
    }
    await pause(interval);
  }
}

/** The builds that run, how long their logs are, and the last that began: while one of them changes, something goes on. */
async function progressOf(api: Api): Promise<string> {
  const [{ running }, last] = await Promise.all([
    api.get<StatusView>('/api/status'),
    api.get<BuildRecord[]>('/api/builds', { limit: 1 }),
  ]);
  const sizes = await Promise.all(running.map(({ id }) => logSize(api, id)));
  return JSON.stringify([last[0]?.id, ...running.map(({ id }, index) => [id, sizes[index]])]);
}

/** Bytes; null while there is none. */
async function logSize({ url }: Api, build: string): Promise<string | null> {
  const { headers } = await fetch(`${url}/api/builds/${encodeURIComponent(build)}/log`, { method: 'HEAD' });
  return headers.get('content-length');
}

function describeBuild(change: Change, build: BuildRecord): string {
  const seconds = ((build.endTime ?? build.startTime) - build.startTime) / 1000;
  const name = `${build.project} ${change.key}`;
  return `${name}  ${build.pipeline}  ${build.job}  ${build.result}  ${seconds.toFixed(1)} s  ${build.summary}`;
}
