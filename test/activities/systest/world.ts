import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Provider } from '../../../activities/nodes/port.ts';
import type { StageContext } from '../../../activities/ports.ts';
import { createPublishStage } from '../../../activities/publish/publish-stage.ts';
import { createSystestStage } from '../../../activities/systest/systest-stage.ts';
import { ensureImages } from '../../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import type { Artifact } from '../../../pipelines/model/job.ts';
import {
  fetchArtifact,
  leasing,
  readText,
  stageContext,
  stageInput,
  stageWorld,
  storeBuild,
} from '../install/stage.ts';
import { makePackage, type Sample } from '../repository/packages.ts';

/** Makes the images of the nodes, and of what plays playbooks. */
export function nodeImages(): Promise<unknown> {
  return ensureImages(
    builtInPlatforms.slice(0, 1).map((each) => ({ ...each, control: true })),
    () => {},
  );
}

export interface Given {
  readonly own: Sample;
  /** Further packages of the same source. */
  readonly more?: readonly Sample[];
  readonly ahead?: Sample;
  readonly scenario?: string;
  /** Further files of the source tree. */
  readonly files?: Readonly<Record<string, string>>;
  /** In the place of the usual ones. */
  readonly provider?: Provider;
  readonly context?: Partial<StageContext>;
}

/** Runs the stage over two containers, with a repository of packages of its own. */
export async function runSystest(
  t: TestContext,
  format: PackageFormat,
  { own, more = [], ahead, scenario, files = {}, provider, context: given }: Given,
) {
  const world = await stageWorld(t);
  const publish = async (...samples: readonly Sample[]): Promise<readonly Artifact[]> => {
    const files: string[] = [];
    for (const sample of samples) files.push(await makePackage(format, world.directory, sample));
    const built = await storeBuild(world, format, files);
    return (await createPublishStage(world)(stageInput(format, { parents: [built] }), await stageContext(t))).artifacts;
  };
  const tree = join(world.directory, 'tree');
  await mkdir(join(tree, 'sluice/systest'), { recursive: true });
  if (scenario !== undefined) await writeFile(join(tree, 'sluice/systest/pair.yaml'), scenario);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
  const stage = leasing(
    createSystestStage({
      ...world,
      defaultLabel: 'debian-12',
      released: () => Promise.resolve([]),
      sources: (_, directory) => cp(tree, directory, { recursive: true }),
    }),
    provider,
  );
  const label = format === 'deb' ? 'debian-12' : 'rpm-debian-12';
  const nodes = ['server', 'client'].map((name) => ({ name, label }));
  const provided = (ahead === undefined ? [] : await publish(ahead)).map((artifact) => ({
    ...artifact,
    project: 'other',
    change: 'I9',
    patchset: 1,
    job: 'publish',
  }));
  const context = await stageContext(t);
  const input = stageInput(format, { stage: 'systest', nodes, parents: await publish(own, ...more), provided });
  const result = await stage(input, { ...context, ...given });
  const read = (name: string) => readText(world, result, name);
  return { result, said: context.said(), read, fetch: (name: string) => fetchArtifact(world, result, name) };
}
