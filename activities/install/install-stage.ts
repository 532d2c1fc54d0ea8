import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { debianName } from '../../pipelines/model/architecture.ts';
import { offeredFiles, type PackagesManifest } from '../../pipelines/model/artifact.ts';
import { type Platform, providerOf } from '../../pipelines/model/platform.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import { isLate, timedOut } from '../late.ts';
import { nodeOn } from '../nodes/packages/managers.ts';
import { addRepositories, type Node } from '../nodes/packages/node.ts';
import type { ReleasedRepositories } from '../nodes/packages/port.ts';
import { unreadable } from '../nodes/packages/unreadable.ts';
import type { Machine } from '../nodes/port.ts';
import type { BlobStore, StageContext, StageRunner } from '../ports.ts';
import type { WorkspaceDeps } from '../script/workspace.ts';
import { readManifest } from '../storage/manifest.ts';
import { type SourceTree, sourceFiles } from './exercise.ts';
import { bringTests } from './other-tests.ts';
import type { TriedPackage } from './package.ts';
import { placeScripts, restartNode, sourceDirectory } from './place-scripts.ts';
import { report } from './report.ts';
import { type JobRepositories, stepTimeoutOf, trialOf } from './repositories.ts';
import type { PackageReport } from './steps.ts';
import { systemInfo } from './system-info.ts';
import type { Testbed, TrialSettings } from './trial-settings.ts';
import { tryPackage } from './try-package.ts';
import { readTested } from './under-test.ts';

export interface InstallStageDeps {
  readonly store: BlobStore;
  /** @throws when no platform has that name. */
  readonly platform: (label: string) => Platform;
  readonly released: ReleasedRepositories;
  /** Files of the source that say how its packages are tried. */
  readonly sources: SourceTree;
  /** The commit that a branch is at; null where there is no such project or branch. */
  readonly branchTip: WorkspaceDeps['branchTip'];
}

/** Installs, checks, exercises and removes each package on a plain minimal system. */
export function createInstallStage(deps: InstallStageDeps): StageRunner {
  return async (input, context) => {
    const trial = trialOf(input, deps.platform);
    if (typeof trial === 'string') return { result: 'FAILURE', summary: trial, artifacts: [] };
    return tryAll(deps, { input, context, ...trial });
  };
}

interface Trial {
  readonly input: StageInput;
  readonly context: StageContext;
  readonly platform: Platform;
  readonly offered: JobRepositories;
}

async function tryAll(deps: InstallStageDeps, trial: Trial): Promise<StageResult> {
  const { input, context, offered } = trial;
  const others = await bringTests(deps, input, context);
  if (typeof others === 'string') return { result: 'FAILURE', summary: others, artifacts: [] };
  const bench = await openBench(deps, trial);
  const reports: PackageReport[] = [];
  const begun = (one: PackageReport) => void reports.push(one);
  try {
    for (const digest of new Set(offered.own.map(({ metadata }) => metadata.manifest))) {
      await tryManifest({ deps, trial, bench }, digest, { others, begun });
    }
  } catch (error) {
    if (!isLate(context)) throw error;
    return timedOut(input, (await report(deps.store, bench.system, reports)).artifacts);
  }
  return report(deps.store, bench.system, reports);
}

interface Trying {
  readonly deps: InstallStageDeps;
  readonly trial: Trial;
  readonly bench: Bench;
}

/** Tries all packages of one build. */
async function tryManifest(
  { deps, trial, bench }: Trying,
  digest: string,
  settings: Pick<TrialSettings, 'others' | 'begun'>,
): Promise<void> {
  const { input, context } = trial;
  const manifest = await readManifest(deps.store, digest);
  const root = await mkdtemp(join(context.workdir, 'root-'));
  const tree = join(root, sourceDirectory);
  await mkdir(tree, { recursive: true });
  await deps.sources(manifest.source, tree, context.signal);
  const siblings = offeredFiles(manifest)
    .filter(({ kind }) => kind === 'binary')
    .map((file) => file.package);
  for (const one of packagesToTry(manifest)) {
    context.heartbeat(`${one.name} ${one.version}`);
    const { node, testbed, released } = await bench.prepare(root);
    const about = { source: sourceFiles(tree), siblings, testbed, released, ...settings };
    await tryPackage(node, one, { ...about, timeout: stepTimeoutOf(input.vars), workdir: context.workdir });
  }
}

/** What packages are tried on. */
interface Bench {
  /** A node as nothing was tried on it, where there is more than one; with our scripts, and what is in `root`. */
  prepare(root: string): Promise<Prepared>;
  /** What the node was before anything was tried on it. */
  readonly system: string;
}

interface Prepared {
  readonly node: Node;
  readonly testbed: Testbed;
  /** URLs of the released repositories, from there. */
  readonly released: readonly string[];
}

async function openBench(deps: InstallStageDeps, trial: Trial): Promise<Bench> {
  const { input, context, platform, offered } = trial;
  const { lease, workdir } = context;
  const timeout = stepTimeoutOf(input.vars);
  const released = await deps.released(platform, input);
  const { own, provided, versions: tested } = await readTested(deps.store, offered);
  const repositories = [...own, ...provided, ...released];
  const { signal, log } = context;
  const ready = async (machine: Machine) => {
    const node = nodeOn(machine, { name: nodeName, platform, signal, log, tested });
    const added = await addRepositories(node, repositories, { workdir, timeout });
    if (added.code !== 0)
      throw new Error(`the node cannot read a repository: ${unreadable(added.output, repositories)}`);
    return { node, machine };
  };
  log.section('Repositories');
  let current = await ready(await lease.machine({ name: nodeName, platform, kind: 'system', network: 'open' }));
  const system = await systemInfo(current.node);
  let isFresh = true;
  return {
    system,
    prepare: async (root) => {
      const another = isFresh ? null : ((await lease.renew?.(nodeName)) ?? null);
      if (another !== null) current = await ready(another);
      isFresh = false;
      const { node, machine } = current;
      await placeScripts(node, workdir, root);
      const urls = released.map(({ url }) => machine.urlInside?.(url) ?? url);
      return { node, testbed: testbedOf(trial, current), released: urls };
    },
  };
}

const nodeName = 'node';

function testbedOf(
  { context, platform }: Trial,
  { node, machine }: { readonly node: Node; readonly machine: Machine },
): Testbed {
  const architecture = debianName(platform.arch);
  const restart = () => restartNode(node, machine, context.workdir);
  return { whole: providerOf(platform) !== 'docker', architecture, restart };
}

/** Binary packages in their order, debug packages last: they need what they belong to. */
function packagesToTry(manifest: PackagesManifest): TriedPackage[] {
  const files = offeredFiles(manifest);
  const chosen = [...files.filter(({ kind }) => kind === 'binary'), ...files.filter(({ kind }) => kind === 'debug')];
  return chosen.map(({ package: name, version, arch, kind }) => ({ name, version, arch, debug: kind === 'debug' }));
}
