import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { byPlatform } from '../../../activities/nodes/by-platform.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import { createVmProvider } from '../../../activities/nodes/vm/provider.ts';
import { waysTo } from '../../../activities/nodes/vm/ways.ts';
import type { StageRunner } from '../../../activities/ports.ts';
import { createPublishStage } from '../../../activities/publish/publish-stage.ts';
import { archivesOf } from '../../../infra/common/machines.ts';
import { readAptSettings } from '../../../infra/images/apt-settings.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
import type { StageInput } from '../../../workflows/contract.ts';
import { leasing, stageContext, stageInput, stageWorld, storeBuild } from '../install/stage.ts';
import { image, preparedForTests, rpmImage } from '../nodes/vm/prepared.ts';
import { makePackage } from '../repository/packages.ts';

const formats = {
  deb: { container: 'debian-12', label: 'debian-12-vm', image, requires: [], listed: /^alpha\t1\.0-1$/m },
  rpm: {
    ...{ container: 'rpm-debian-12', label: 'rpm-debian-12-vm', image: rpmImage, listed: /^alpha-1\.0-1\.noarch$/m },
    // Only a machine has it.
    requires: ['systemd'],
  },
} as const;

/** The world of a stage where a small package is published, with virtual machines that reach its web server and the archives, and nothing else. */
export async function machineWorld(t: Pick<TestContext, 'after' | 'diagnostic'>, format: PackageFormat = 'deb') {
  const { container, label, image: own, requires, listed } = formats[format];
  const places = await preparedForTests(format);
  const world = await stageWorld(t);
  const reached = new URL(await world.trees.url('x')).origin;
  const ways = async () => waysTo([reached, ...archivesOf(await readAptSettings('bookworm'))]);
  const docker = openProvider('docker');
  const provider = byPlatform({ docker, vm: createVmProvider({ places, installation: null, ways }), static: docker });
  const platform = (name: string): Platform => {
    if (name !== label) return world.platform(name);
    return { ...world.platform(container), name, provider: 'vm', buildImage: own, testImage: own };
  };
  const tree = join(world.directory, 'tree');
  await mkdir(join(tree, 'sluice/systest'), { recursive: true });
  const deps = {
    ...{ ...world, platform, released: () => Promise.resolve([]) },
    sources: (_: unknown, directory: string) => cp(tree, directory, { recursive: true }),
  };
  const file = await makePackage(format, world.directory, {
    ...{ name: 'alpha', version: '1.0-1', requires },
    files: { '/usr/bin/answer': '#!/bin/sh\necho forty-two\n' },
  });
  const built = await storeBuild(world, format, [file]);
  const publish = createPublishStage(world);
  const { artifacts: parents } = await publish(stageInput(format, { parents: [built] }), await stageContext(t));
  const run = async (stage: StageRunner, given: Partial<StageInput>) => {
    const input = stageInput(format, { parents, ...given });
    t.after(() => provider.sweep(input.build.id));
    const context = await stageContext(t);
    const begin = performance.now();
    const result = await leasing(stage, provider)(input, context);
    t.diagnostic(`${input.stage}: ${Math.round((performance.now() - begin) / 100) / 10} s`);
    return { result, said: context.said() };
  };
  return { deps, tree, run, reached, label, listed };
}
