import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstallStage } from '../../activities/install/install-stage.ts';
import { testRepositories } from '../../activities/install/repositories.ts';
import { packageManagers } from '../../activities/nodes/packages/managers.ts';
import { createPublishStage } from '../../activities/publish/publish-stage.ts';
import { repositoryFormats } from '../../activities/repository/formats.ts';
import { signTree } from '../../activities/repository/signature.ts';
import { closeAgent } from '../../activities/sign/key.ts';
import { createTestSigner } from '../../activities/sign/test-signer.ts';
import { leasing, stageContext, stageInput, stageWorld, storeBuild } from '../activities/install/stage.ts';
import { makePackage, temporary } from '../activities/repository/packages.ts';

for (const id of ['deb', 'rpm'] as const) {
  test(`R15: a ${id} test repository is signed, and nothing is installed from one that somebody else signed`, async (t) => {
    const world = await stageWorld(t);
    const sample = { name: 'alpha', version: '1.0-1', files: { '/usr/share/alpha': 'fine\n' } };
    const built = await storeBuild(world, id, [await makePackage(id, world.directory, sample)]);
    const published = await createPublishStage(world)(stageInput(id, { parents: [built] }), await stageContext(t));
    const offered = testRepositories(published.artifacts).map(({ repository }) => repository);
    const files = Object.values(packageManagers[id].configure(offered)).join('\n');
    assert.match(files, /BEGIN PGP PUBLIC KEY/);
    assert.doesNotMatch(files, /trusted=yes|repo_gpgcheck=0/);

    const install = leasing(createInstallStage({ ...world, released: async () => [], sources: async () => {} }));
    const input = stageInput(id, { parents: published.artifacts });
    const { result, summary } = await install(input, await stageContext(t));
    assert.equal(result, 'SUCCESS', summary);

    const keys = await temporary(t);
    t.after(() => closeAgent(keys));
    const tree = join(world.root, offered[0]?.url.split('/').at(-2) ?? '');
    const format = repositoryFormats[id];
    const signer = await createTestSigner(keys)();
    await signTree(format, tree, { settings: await format.settings(tree), signer });
    await assert.rejects(
      install(stageInput(id, { parents: published.artifacts }), await stageContext(t)),
      /cannot read/,
    );
  });
}
