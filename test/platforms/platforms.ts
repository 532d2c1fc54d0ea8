import assert from 'node:assert/strict';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createInstallStage } from '../../activities/install/install-stage.ts';
import { createLintStage } from '../../activities/lint/stage.ts';
import { createPublishStage } from '../../activities/publish/publish-stage.ts';
import { ensureImages } from '../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../infra/images/platforms.ts';
import { openWorkshop, type Workshop } from '../activities/build/workshop.ts';
import { leasing, stageContext, stageInput, stageWorld, storeBuild } from '../activities/install/stage.ts';
import { samples } from './samples.ts';

// By hand, for images take minutes to make: SLUICE_PLATFORMS names the platforms, separated by commas; all without it.
const named = process.env.SLUICE_PLATFORMS?.split(',');
const platforms = builtInPlatforms.filter(({ name, primary }) => named?.includes(name) ?? primary === undefined);

let workshop: Workshop;
before(async () => {
  await ensureImages(platforms, (line) => process.stderr.write(`${line}\n`));
  workshop = await openWorkshop();
});
after(() => workshop.close());

for (const platform of platforms) {
  const { name, format, codename } = platform;
  const isPackage = (file: string) => /\.(?:deb|rpm)$/.test(file) && !/\.src\.rpm$|-dbgsym_|-debug/.test(file);

  test(`${name}: a compiled package is built, checked, published and installed`, async (t) => {
    const repository = await workshop.repository(`hello-${name}`);
    await repository.commit('Import', samples[format]);
    const built = await workshop.build(repository, { platform: name });
    assert.equal(built.result.result, 'SUCCESS', built.result.summary + built.log);
    t.diagnostic(built.result.summary);
    const world = { ...(await stageWorld(t)), codename: () => (format === 'deb' ? codename : '') };
    const files = (built.manifest?.files ?? []).map((file) => file.name).filter(isPackage);
    const packages = await storeBuild(
      world,
      format,
      files.map((file) => join(built.out, file)),
    );
    const artifact = { ...packages, metadata: { ...packages.metadata, platform: name } };
    const onIt = { nodes: [{ name: 'node', label: name }] };

    const lint = leasing(createLintStage({ ...world, releasedFiles: async () => {} }));
    const checked = await stageContext(t);
    const linted = await lint(stageInput(format, { ...onIt, stage: 'lint', parents: [artifact] }), checked);
    assert.notEqual(linted.result, 'ERROR', linted.summary + checked.said());
    t.diagnostic(`lint: ${linted.summary}`);

    const publish = createPublishStage(world);
    const published = await publish(stageInput(format, { ...onIt, parents: [artifact] }), await stageContext(t));
    assert.equal(published.result, 'SUCCESS', published.summary);

    const tree = join(world.directory, 'tree');
    await mkdir(tree);
    const sources = (_: unknown, directory: string) => cp(tree, directory, { recursive: true });
    const install = leasing(createInstallStage({ ...world, released: async () => [], sources }));
    const tried = await stageContext(t);
    const installed = await install(stageInput(format, { ...onIt, parents: published.artifacts }), tried);
    assert.equal(installed.result, 'SUCCESS', installed.summary + tried.said());
    t.diagnostic(installed.summary);
  });
}
