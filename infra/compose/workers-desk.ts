import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { createAssembly } from '../../activities/storage/assemble.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { createFileLogIntake } from '../../activities/storage/filesystem/log-intake.ts';
import type { Workers } from '../../server/worker/port.ts';
import { type Common, releasedOffer } from '../common/common.ts';
import { allPlatforms } from '../config/platforms.ts';
import { findWorker } from '../stack/worker-tokens.ts';
import type { Store } from '../store/store.ts';
import { payloadStore } from './payload-store.ts';

/** What a worker on another machine calls itself, to Temporal. */
export function identityOf(name: string): string {
  return `worker/${name}`;
}

/** Whether what asks Temporal for work is such a worker, by what it calls itself. */
export function isApart(identity: string): boolean {
  return identity.startsWith(identityOf(''));
}

/** What workers on other machines are given, and what is taken from them. */
export function createWorkersDesk(common: Common, client: Client, store: Pick<Store, 'findBuild'>): Workers {
  const { config, git, paths, released, trees, sources } = common;
  const blobs = createFileBlobStore({ root: paths.storage, baseUrl: config.server.url });
  const { release, archiveKey } = releasedOffer(common);
  return {
    find: (token) => findWorker(config.data, token),
    runs: createRuns(client, store),
    settings: async () => ({
      url: config.server.url,
      namespace: config.temporal.namespace,
      platforms: allPlatforms(config),
      ...{ release, log: config.workers.log, hosts: Object.keys(config.nodes.vm.hosts) },
    }),
    ...{ blobs, released, trees, sources, archiveKey, branchTip: git.branchTip },
    payloads: payloadStore(paths),
    logs: createFileLogIntake({ root: paths.storage, limit: config.workers.log }),
    assemble: createAssembly({ blobs, trees, workRoot: paths.work }),
  };
}

/** Milliseconds for which an answer holds: a log comes in many parts. */
const fresh = 5_000;

/** Whether Temporal has given a build's work to a worker, and not taken it away. */
export function createRuns(client: Client, store: Pick<Store, 'findBuild'>): Workers['runs'] {
  const known = new Map<string, number>();
  const look = async (worker: string, what: Parameters<Workers['runs']>[1]) => {
    if ('workflow' in what) return hasInWork(client, worker, { workflow: what.workflow });
    const build = await store.findBuild(what.build);
    if (build === undefined || build.endTime !== null) return false;
    return hasInWork(client, worker, build);
  };
  return async (worker, what) => {
    const key = JSON.stringify([worker, what]);
    if ((known.get(key) ?? 0) > Date.now() - fresh) return true;
    known.delete(key);
    if (!(await look(worker, what))) return false;
    for (const [each, time] of known) if (time < Date.now() - fresh) known.delete(each);
    known.set(key, Date.now());
    return true;
  };
}

async function hasInWork(
  client: Client,
  worker: string,
  { workflow, run }: { readonly workflow: string; readonly run?: string },
): Promise<boolean> {
  try {
    const { raw } = await client.workflow.getHandle(workflow, run).describe();
    return (raw.pendingActivities ?? []).some(({ lastWorkerIdentity }) => lastWorkerIdentity === identityOf(worker));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
