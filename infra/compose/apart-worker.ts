import { AsyncLocalStorage } from 'node:async_hooks';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createAskModules, createAskObjects } from '../../activities/git/ask-sources.ts';
import { createSourcesFromServer } from '../../activities/git/from-server.ts';
import { withinLines } from '../../activities/jobs/within-lines.ts';
import { createAskForSecrets } from '../../activities/secrets/ask.ts';
import { createStageActivities, type StageActivities } from '../../activities/stages.ts';
import { createServerBlobStore } from '../../activities/storage/server/blob-store.ts';
import { createServerClient, must, type ServerClient } from '../../activities/storage/server/client.ts';
import { createServerLogStore } from '../../activities/storage/server/log-store.ts';
import { askForArchiveKey, createServerReleasedStore } from '../../activities/storage/server/released-store.ts';
import { createServerTreeStore } from '../../activities/storage/server/tree-store.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { WorkerSettings } from '../../server/worker/port.ts';
import { asSeenFromHere, reachBy } from '../common/addressed.ts';
import { createLogger, logTemporal } from '../common/logging.ts';
import { type StageParts, stagesOf } from '../common/stages.ts';
import { readToken } from '../common/token-file.ts';
import type { Part } from '../stack/part.ts';
import { dataPaths } from '../stack/paths.ts';
import { readPem, type TemporalAddress } from '../temporal/secured.ts';
import { runJobs, withHand } from './build-worker.ts';
import { connectPatiently } from './connect.ts';
import { createServerPayloads } from './server-payloads.ts';
import { identityOf } from './workers-desk.ts';

/** All that a worker on another machine is told. */
export interface ApartOptions {
  /** Where it reaches the server and Temporal. */
  readonly server: string;
  readonly temporal: Omit<TemporalAddress, 'namespace'>;
  /** File with further certificates that may have signed the server's; absent: those that the system trusts. */
  readonly ca?: string;
  /** File with its token. */
  readonly token: string;
  /** Directory of what is its own. */
  readonly data: string;
  /** Where its containers reach the server's repositories. */
  readonly containerUrl: string;
  /** How many jobs with nodes run at once. */
  readonly slots: number;
}

/** The build that something is done for, also deep inside of a stage. */
const current = new AsyncLocalStorage<string>();

function currentBuild(): string {
  const build = current.getStore();
  if (build === undefined) throw new Error('nothing is stored outside of a stage');
  return build;
}

/** A worker that shares nothing with the server but the network: everything comes from it, and goes to it. */
export async function startApartWorker(options: ApartOptions): Promise<Part> {
  const token = () => readToken(options.token);
  await token();
  const logger = createLogger('build-worker');
  logTemporal(logger);
  if (options.ca !== undefined) await trust(options.ca);
  const server = createServerClient({ url: options.server, token });
  const answer = await must(server.ask('/api/worker/settings'), () => new Error(`${options.server} takes no workers`));
  const settings = (await answer.json()) as WorkerSettings;
  requireOwnName(settings, hostname());
  const temporal = await connectPatiently(
    { temporal: { ...options.temporal, namespace: settings.namespace } },
    createServerPayloads(server),
  );
  const parts = partsOf(options, { server, settings, token });
  const reach = reachBy(settings.url, async () => options.containerUrl);
  const hand = { store: parts.blobs, data: options.data, platforms: settings.platforms, reach, mirrors: [] };
  const stages = withHand(stagesOf(parts), hand);
  const here = { trees: parts.trees, base: parts.repositories.url };
  const seen = asSeenFromHere(createStageActivities(stages), here);
  return runJobs({
    ...{ temporal, stages, slots: options.slots, data: options.data, identity: identityOf(settings.name), logger },
    activities: forBuilds(withinLines(seen, settings.release)),
  });
}

/** @throws where this machine is called as a host of virtual machines is: both would take each other's work */
export function requireOwnName({ hosts = [] }: Pick<WorkerSettings, 'hosts'>, own: string): void {
  if (!hosts.includes(own)) return;
  const mend = 'name that otherwise in the sluice.yaml of the server, or this machine';
  throw new Error(`this machine is called ${own}, as one of the server's nodes.vm.hosts is: ${mend}`);
}

/** Has this process take certificates that these signed, besides those that it takes anyway. */
async function trust(file: string): Promise<void> {
  setDefaultCACertificates([...getCACertificates('default'), String(await readPem('--ca', file))]);
}

interface Connected {
  readonly server: ServerClient;
  readonly settings: WorkerSettings;
  readonly token: () => Promise<string>;
}

function partsOf(options: ApartOptions, { server, settings, token }: Connected): StageParts {
  const { url: baseUrl, platforms, release } = settings;
  const paths = dataPaths(options.data);
  const blobs = createServerBlobStore({ server, baseUrl, build: currentBuild });
  const trees = createServerTreeStore({
    ...{ server, blobs, build: currentBuild, workRoot: paths.work },
    baseUrl: `${baseUrl}/repositories/test`,
  });
  return {
    ...{ data: options.data, blobs, trees, release },
    logs: createServerLogStore({ server, baseUrl, limit: settings.log }),
    sources: createSourcesFromServer({
      directory: join(paths.gitCache, 'server'),
      ...{ url: options.server, token, ca: options.ca },
      branchTip: askForTip(server),
      modules: createAskModules({ url: options.server, token }),
    }),
    objects: createAskObjects({ url: options.server, token }),
    repositories: { look: trees.look, url: async () => testUrl(options) },
    platform: platformIn(platforms),
    released: createServerReleasedStore({ server, baseUrl: `${options.containerUrl}/released` }),
    archiveKey: () => askForArchiveKey(server),
    openSecrets: createAskForSecrets({ url: options.server, token }),
    reach: reachBy(baseUrl, async () => options.containerUrl),
  };
}

function testUrl({ containerUrl }: ApartOptions): string {
  return `${containerUrl}/repositories/test/`;
}

function platformIn(platforms: readonly Platform[]) {
  return (label: string): Platform => {
    const found = platforms.find(({ name }) => name === label);
    if (found !== undefined) return found;
    throw new Error(`no platform was called "${label}" when this worker started: start it again`);
  };
}

function askForTip(server: ServerClient) {
  return async (project: string, branch: string): Promise<string | null> => {
    const answer = await server.ask(`/api/worker/tip?${new URLSearchParams({ project, branch })}`);
    return answer === null ? null : ((await answer.json()) as { readonly commit: string | null }).commit;
  };
}

/** The same work, with the build at hand that it is for. */
function forBuilds(stages: StageActivities): StageActivities {
  return {
    ...stages,
    runStage: (input) => current.run(input.build.id, () => stages.runStage(input)),
    resumeStage: (input) => current.run(input.stage.build.id, () => stages.resumeStage(input)),
  };
}
