import type { Platform } from '../../pipelines/model/platform.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import { type JobRepositories, stepTimeoutOf, trialOf } from '../install/repositories.ts';
import { nodeOn } from '../nodes/packages/managers.ts';
import { addRepositories, type Node, onNode } from '../nodes/packages/node.ts';
import type { NodeRepository, ReleasedRepositories } from '../nodes/packages/port.ts';
import { unreadable } from '../nodes/packages/unreadable.ts';
import type { BlobStore, StageContext, StageRunner } from '../ports.ts';
import { lookAt } from './look.ts';
import { report } from './report.ts';
import { unmetAmong } from './try-resolve.ts';

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
  const own = offered.own.map(({ repository }) => repository);
  const provided = offered.provided.map(({ repository }) => repository);
  context.heartbeat('reads the repositories');
  const { coming, leaning, replaced, downgrade } = await lookAt({ platform, workdir, own, provided, released });
  // All packages of one source are meant to go together, whatever the others offer.
  const pinned = own.map((repository) => ({
    ...repository,
    pins: coming.map(({ name, version }) => ({ name, version })),
  }));
  const others = [...provided, ...released];
  const after = others.map((repository) => ({ ...repository, without: replaced }));
  const node = await openNode(job);
  await offer(node, [...pinned, ...after], { workdir, timeout });
  context.log.section(`${coming.length} packages that come`);
  const broken = await unmetAmong(node, coming, timeout);
  context.log.section(`${leaning.length} others that need something of them`);
  const unmet = await unmetAmong(node, leaning, timeout);
  if (unmet.length > 0) {
    context.log.section('The same without what comes');
    await offer(node, others, { workdir, timeout });
  }
  const asked = unmet.map(({ one }) => one);
  const before = await unmetAmong(node, asked, timeout);
  return report(deps.store, { coming, leaning, downgrade, broken, unmet, before });
}

async function openNode({ context, platform }: Check): Promise<Node> {
  const { lease, signal, log } = context;
  const machine = await lease.machine({ name: 'node', platform, kind: 'system', network: 'open' });
  return nodeOn(machine, { name: 'node', platform, signal, log });
}

/** Offers these repositories and no others, beside the platform's own. */
async function offer(
  node: Node,
  repositories: readonly NodeRepository[],
  within: { readonly workdir: string; readonly timeout: number },
): Promise<void> {
  const added = await addRepositories(node, repositories, within);
  const all = added.code === 0 ? await onNode(node, node.manager.refreshAll, within.timeout) : added;
  if (all.code !== 0) throw new Error(`the node cannot read a repository: ${unreadable(all.output, repositories)}`);
}
