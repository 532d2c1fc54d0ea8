import { hostname } from 'node:os';
import { Context } from '@temporalio/activity';
import { createAttestor, type TestRepositories } from '../../activities/attest/attestor.ts';
import { openBuilderKey } from '../../activities/attest/builder-key.ts';
import { createBuildStage } from '../../activities/build/stage.ts';
import { fetchTree } from '../../activities/git/fetch-tree.ts';
import type { BringObjects } from '../../activities/git/lfs.ts';
import type { Sources } from '../../activities/git/port.ts';
import { createInstallStage } from '../../activities/install/install-stage.ts';
import { createLintStage } from '../../activities/lint/stage.ts';
import { createMirrorStage } from '../../activities/mirror/mirror-stage.ts';
import type { ReleasedRepositories } from '../../activities/nodes/packages/port.ts';
import { type GivenContext, openProviders, type VirtualContext } from '../../activities/nodes/registry.ts';
import type { BlobStore, LogStore } from '../../activities/ports.ts';
import { createPublishStage } from '../../activities/publish/publish-stage.ts';
import { createRepocheckStage } from '../../activities/repocheck/repocheck-stage.ts';
import { createScriptStage } from '../../activities/script/script-stage.ts';
import type { OpenSecrets } from '../../activities/secrets/port.ts';
import { createTestSigner } from '../../activities/sign/test-signer.ts';
import type { StageDeps } from '../../activities/stages.ts';
import type { Trees } from '../../activities/storage/port.ts';
import { createSystestStage } from '../../activities/systest/systest-stage.ts';
import { tellTestStage } from '../../activities/test-service/tell-stage.ts';
import { createTestStage } from '../../activities/test-service/test-stage.ts';
import type { SourceState } from '../../pipelines/model/artifact.ts';
import { defaultLabel, type Platform } from '../../pipelines/model/platform.ts';
import { versionFault } from '../../pipelines/policy/version-policy.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { imagesOnNeed } from '../images/on-need.ts';
import { installationOf } from '../stack/installation.ts';
import { dataPaths } from '../stack/paths.ts';
import { type ReleasedOffer, releasedRepositories } from './common.ts';
import { createLogger } from './logging.ts';
import { withObjects } from './modules.ts';
import { recipeDigest } from './recipe.ts';
import { createReleasedFiles } from './released-files.ts';

/** What a worker does its jobs with, wherever it takes it from. */
export interface StageParts extends ReleasedOffer {
  /** Directory of what is the worker's own: its keys, and work directories. */
  readonly data: string;
  readonly blobs: BlobStore;
  readonly logs: Pick<LogStore, 'open'>;
  readonly sources: Sources;
  /** Brings objects of Git LFS into `blobs`; absent: they stay pointers. */
  readonly objects?: BringObjects;
  /** Test repositories, to be published. */
  readonly trees: Pick<Trees, 'publish' | 'has' | 'url'>;
  /** The same, to be looked at. */
  readonly repositories: TestRepositories;
  readonly platform: (label: string) => Platform;
  /** Absent: there are no virtual machines on this machine. */
  readonly virtual?: VirtualContext;
  /** Absent: no static machines are lent here. */
  readonly given?: GivenContext;
  /** The machine that jobs are on, by its name; absent: this one. */
  readonly host?: string;
  readonly openSecrets: OpenSecrets;
  /** The URL by which nodes reach what people reach by this one; absent: no package is tested by request. */
  readonly reach?: (url: string) => Promise<string>;
}

/** All stages of a worker, in containers and virtual machines of this machine. */
export function stagesOf(parts: StageParts): StageDeps {
  const { blobs: store, platform, reach, host = hostname() } = parts;
  const logger = createLogger('build-worker');
  const paths = dataPaths(parts.data);
  const released: ReleasedRepositories = (each, job) => releasedRepositories(parts, each, job);
  const sources = withObjects(parts);
  // Begun now: what is on the disk later may not be what this process runs.
  const recipe = recipeDigest();
  recipe.catch(() => {});
  const tests = { store, platform, released, sources, branchTip: parts.sources.branchTip };
  const attestor = createAttestor({
    key: openBuilderKey(paths.builder),
    treeOf: async ({ project, commit }: SourceState) => (await parts.sources.resolve(project, commit)).tree,
    ...{ store, repositories: parts.repositories },
  });
  const codename = (label: string) => (platform(label).format === 'deb' ? platform(label).codename : '');
  const primaryOf = (label: string) => platform(label).primary;
  const signer = createTestSigner(paths.testKeys);
  return {
    stages: {
      build: createBuildStage({
        ...{ ...tests, attestor, recipe: () => recipe },
        versionFault: (of) => versionFault(parts.release, of),
      }),
      lint: createLintStage({ store, platform, releasedFiles: createReleasedFiles(parts.released, parts.release) }),
      publish: createPublishStage({ store, trees: parts.trees, codename, primaryOf, signer }),
      repocheck: createRepocheckStage(tests),
      install: createInstallStage(tests),
      systest: createSystestStage({ ...tests, defaultLabel }),
      ...(reach === undefined
        ? {}
        : { test: createTestStage({ store, platform, reach, fetchTree, begun: tellTestStage }) }),
      mirror: createMirrorStage(() => Context.current().client),
    },
    script: createScriptStage({
      ...{ platform, sources, defaultLabel, store, openSecrets: parts.openSecrets },
      branchTip: parts.sources.branchTip,
      host: taskQueues.host(host),
    }),
    logs: parts.logs,
    host,
    workRoot: paths.work,
    provider: openProviders({
      installation: installationOf(parts.data),
      prepare: imagesOnNeed((line) => logger.info(line)),
      ...(parts.virtual === undefined ? {} : { virtual: parts.virtual }),
      ...(parts.given === undefined ? {} : { given: parts.given }),
    }),
  };
}
