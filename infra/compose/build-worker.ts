import { hostname } from 'node:os';
import { join } from 'node:path';
import { createAttestor } from '../../activities/attest/attestor.ts';
import { openBuilderKey } from '../../activities/attest/builder-key.ts';
import { createBuildStage } from '../../activities/build/stage.ts';
import type { SourceTree } from '../../activities/install/exercise.ts';
import { createInstallStage } from '../../activities/install/install-stage.ts';
import { isOpen } from '../../activities/jobs/open.ts';
import { createLintStage } from '../../activities/lint/stage.ts';
import type { ReleasedRepository } from '../../activities/nodes/packages/port.ts';
import { openProvider } from '../../activities/nodes/registry.ts';
import { createPublishStage } from '../../activities/repository/publish-stage.ts';
import { createScriptStage } from '../../activities/script/script-stage.ts';
import { closeAgent } from '../../activities/sign/key.ts';
import { createTestSigner } from '../../activities/sign/test-signer.ts';
import { createStageActivities } from '../../activities/stages.ts';
import { createSystestStage } from '../../activities/systest/systest-stage.ts';
import type { SourceState } from '../../pipelines/model/artifact.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { hostArch } from '../stack/arch.ts';
import { installationOf } from '../stack/installation.ts';
import type { Part } from '../stack/part.ts';
import { dataPaths } from '../stack/paths.ts';
import type { StackConfig } from '../stack/settings.ts';
import { createHostWorker, createStageWorker } from '../temporal/worker.ts';
import { type Common, createCommon, releasedRepository } from './common.ts';
import { connectPatiently } from './connect.ts';
import { keepSweeping } from './leftovers.ts';
import { containerUrl } from './listen.ts';
import { createLogger, logTemporal } from './logging.ts';
import { defaultLabel } from './nodes.ts';
import { payloadStore } from './payload-store.ts';
import { recipeDigest } from './recipe.ts';
import { createReleasedFiles } from './released-files.ts';
import { askForSecrets } from './secrets.ts';
import { workerPart } from './worker-part.ts';

/** The worker that runs jobs: builds, checks and tests in containers on this machine. */
export async function startBuildWorker(config: StackConfig): Promise<Part> {
  const logger = createLogger('build-worker');
  logTemporal(logger);
  const common = createCommon(config);
  const temporal = await connectPatiently(config, payloadStore(dataPaths(config.data)));
  const deps = stageDeps(common);
  const activities = createStageActivities(deps);
  const workers = [
    await createStageWorker({ temporal, activities, arch: hostArch(), slots: config.workers.build }),
    await createHostWorker({ temporal, activities, host: hostname() }),
  ];
  const { provider } = deps;
  const sweeping = keepSweeping({ provider, isOpen: (workflow) => isOpen(temporal.client, workflow), logger });
  return workerPart(workers, async () => {
    await sweeping.stop();
    await closeAgent(common.paths.testKeys);
    await temporal.close();
  });
}

function stageDeps(common: Common) {
  const { blobs: store, config, git, logs, paths, platform } = common;
  const released: ReleasedRepository = (each, seen) => releasedRepository(common, each, seen);
  const sources: SourceTree = git.exportTree;
  // Begun now: what is on the disk later may not be what this process runs.
  const recipe = recipeDigest();
  recipe.catch(() => {});
  const tests = { store, platform, released, sources };
  const attestor = createAttestor({
    ...{
      key: openBuilderKey(paths.builder),
      treeOf: async ({ project, commit }: SourceState) => (await git.resolve(project, commit)).tree,
      store,
    },
    repositories: { root: testRoot(paths), url: async () => `${await containerUrl(config)}/repositories/test/` },
  });
  const codename = (label: string) => (platform(label).format === 'deb' ? platform(label).codename : '');
  const signer = createTestSigner(paths.testKeys);
  return {
    stages: {
      build: createBuildStage({ ...tests, attestor, recipe: () => recipe }),
      lint: createLintStage({ store, platform, releasedFiles: createReleasedFiles(common.released) }),
      publish: createPublishStage({ store, trees: common.trees, codename, signer }),
      install: createInstallStage(tests),
      systest: createSystestStage(tests),
    },
    script: createScriptStage({
      platform,
      sources,
      branchTip: git.branchTip,
      defaultLabel,
      host: taskQueues.host(hostname()),
      openSecrets: askForSecrets(common),
    }),
    logs,
    workRoot: paths.work,
    provider: openProvider('docker', { installation: installationOf(config.data) }),
  };
}

function testRoot({ repositories }: Common['paths']): string {
  return join(repositories, 'test');
}
