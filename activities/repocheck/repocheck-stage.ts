import type { Platform } from '../../pipelines/model/platform.ts';
import { madeBy } from '../../pipelines/policy/obsolete.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import { type JobRepositories, type OfferedRepository, stepTimeoutOf, trialOf } from '../install/repositories.ts';
import { readTested } from '../install/under-test.ts';
import { nodeOn } from '../nodes/packages/managers.ts';
import { addRepositories, type Node, type Offering } from '../nodes/packages/node.ts';
import type { NodeRepository, ReleasedRepositories } from '../nodes/packages/port.ts';
import { unreadable } from '../nodes/packages/unreadable.ts';
import type { BlobStore, StageContext, StageRunner } from '../ports.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { readManifest } from '../storage/manifest.ts';
import { type Clashes, findClashes } from './clashes.ts';
import { readLists } from './lists.ts';
import { type Lists, type Look, lookAt } from './look.ts';
import { report } from './report.ts';
import { fitTogether, unmetAmong } from './try-resolve.ts';

export interface RepocheckStageDeps {
  readonly store: BlobStore;
  /** @throws when no platform has that name. */
  readonly platform: (label: string) => Platform;
  readonly released: ReleasedRepositories;
}

/** Looks whether the packages under test can be installed, and whether what needs them still can. */
export function createRepocheckStage(deps: RepocheckStageDeps): StageRunner {
  return async (input, context) => {
    const trial = trialOf(input, deps.platform);
    if (typeof trial === 'string') return { result: 'FAILURE', summary: trial, artifacts: [] };
    return check(deps, { input, context, ...trial });
  };
}

interface Check {
  readonly input: StageInput;
  readonly context: StageContext;
  readonly platform: Platform;
  readonly offered: JobRepositories;
}

async function check(deps: RepocheckStageDeps, job: Check): Promise<StageResult> {
  const { input, context, platform, offered } = job;
  const { workdir } = context;
  const timeout = stepTimeoutOf(input.vars);
  const released = await deps.released(platform, input);
  context.heartbeat('reads the repositories');
  const look = lookAt(await readAll(deps, job, released));
  const { coming, leaning, leaving } = look;
  const { own, provided } = await readTested(deps.store, offered);
  // Each version that is ahead may need something of what comes.
  const others = [...provided.map((repository) => ({ ...repository, without: [] })), ...released];
  const after = others.map((repository) => ({ ...repository, without: leaving }));
  const node = await openNode(job);
  await offer(node, [...own, ...after], { workdir, timeout, refresh: 'all' });
  context.log.section(`${coming.length} packages that come`);
  const broken = await unmetAmong(node, coming, timeout);
  context.log.section(`${leaning.length} others that need something of them`);
  const unmet = await unmetAmong(node, leaning, timeout);
  const files = await clashesOn(node, look, job);
  if (unmet.length > 0) {
    context.log.section('The same without what comes');
    await offer(node, others, { workdir, timeout });
  }
  const asked = unmet.map(({ one }) => one);
  const before = await unmetAmong(node, asked, timeout);
  return report(deps.store, { ...look, ...files, broken, unmet, before });
}

function urls(offered: readonly OfferedRepository[]): readonly NodeRepository[] {
  return offered.map(({ repository }) => repository);
}

async function readAll(
  { store }: RepocheckStageDeps,
  { context: { workdir }, platform, offered }: Check,
  released: readonly NodeRepository[],
): Promise<Lists> {
  const read = async (some: readonly NodeRepository[]) =>
    (await Promise.all(some.map((one) => readLists({ platform, workdir }, one)))).flat();
  const manifests = [...new Set(offered.own.map(({ metadata }) => metadata.manifest))];
  return {
    platform,
    own: await read(urls(offered.own)),
    provided: await read(urls(offered.provided)),
    released: await read(released),
    builds: (await Promise.all(manifests.map((digest) => readManifest(store, digest)))).map(madeBy),
  };
}

/** Files that two packages bring which the node would install together. */
async function clashesOn(node: Node, look: Look, { input, context, platform }: Check): Promise<Clashes> {
  const { workdir, signal, log } = context;
  const format = repositoryFormats[platform.format];
  log.section('Files that two packages bring');
  const leaning = new Set(look.leaning.map(({ name }) => name));
  const { clashes, unread } = await findClashes({ ...look, format, leaning, workdir, signal });
  const held = [];
  for (const clash of clashes) {
    context.heartbeat('asks for packages with the same files');
    if (await fitTogether(node, clash.pair, stepTimeoutOf(input.vars))) held.push(clash);
  }
  return { clashes: held, unread };
}

async function openNode({ context, platform }: Check): Promise<Node> {
  const { lease, signal, log } = context;
  const machine = await lease.machine({ name: 'node', platform, kind: 'system', network: 'open' });
  return nodeOn(machine, { name: 'node', platform, signal, log });
}

async function offer(node: Node, repositories: readonly NodeRepository[], offering: Offering): Promise<void> {
  const { code, output } = await addRepositories(node, repositories, offering);
  if (code !== 0) throw new Error(`the node cannot read a repository: ${unreadable(output, repositories)}`);
}
