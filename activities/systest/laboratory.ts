import { stepNotKept } from '../../pipelines/report/machines.ts';
import type { StageInput } from '../../workflows/contract.ts';
import type { InstallStageDeps } from '../install/install-stage.ts';
import { placeScripts, sourceDirectory } from '../install/place-scripts.ts';
import { repositoriesFor } from '../install/repositories.ts';
import { packageManagers } from '../nodes/packages/managers.ts';
import { addRepositories, doorOf, type Node } from '../nodes/packages/node.ts';
import { unreadable } from '../nodes/packages/unreadable.ts';
import type { TestStep } from '../nodes/port.ts';
import type { StageContext } from '../ports.ts';

/**
 * The nodes of one system test. They reach repositories until `closeDoors`, and from then on only each other; machines
 * that keep networks of their own reach what they reach.
 */
export interface Laboratory {
  readonly nodes: ReadonlyMap<string, Node>;
  closeDoors(): Promise<void>;
  /** Has the machines know where the test is, and be saved after its last step if that was asked. */
  beginStep(step: TestStep & { readonly save: boolean }): Promise<void>;
}

interface Plan {
  readonly input: StageInput;
  readonly context: StageContext;
  /** The source tree, put onto each node. */
  readonly tree: string;
}

/** Milliseconds for reading the repositories' indexes: a machine whose processor is emulated takes minutes for it. */
const patience = 600_000;

/** Starts the job's nodes and offers them all test repositories at once, and the released one. */
export async function openLaboratory(deps: InstallStageDeps, plan: Plan): Promise<Laboratory> {
  const { input, context } = plan;
  const nodes = await Promise.all(input.nodes.map((node) => startNode(deps, plan, node)));
  await Promise.all(nodes.map((node) => equip(deps, plan, node)));
  const { lease, log, signal } = context;
  const kept = nodes.filter(({ door }) => door === undefined).map(({ name }) => name);
  const closeDoors = async () => {
    if (kept.length === 0) return lease.seclude(signal);
    log.write(`${kept.join(', ')}: machines with networks of their own, which stay open\n`);
    await lease.introduce(signal);
  };
  let before = 0;
  const beginStep = async (step: TestStep & { readonly save: boolean }) => {
    await lease.beginStep?.(step).catch((error: Error) => log.write(`${stepNotKept(before, error.message)}\n`));
    before = step.number;
  };
  return { nodes: new Map(nodes.map((node) => [node.name, node])), closeDoors, beginStep };
}

async function startNode(
  deps: InstallStageDeps,
  { context }: Plan,
  { name, label }: { readonly name: string; readonly label: string },
): Promise<Node> {
  const platform = deps.platform(label);
  const machine = await context.lease.machine({ name, platform, kind: 'system', network: 'open' });
  const { signal, log } = context;
  return { name, machine, manager: packageManagers[platform.format], signal, log, ...doorOf(machine) };
}

async function equip(deps: InstallStageDeps, { input, context, tree }: Plan, node: Node): Promise<void> {
  const label = input.nodes.find(({ name }) => name === node.name)?.label ?? '';
  const platform = deps.platform(label);
  const released = await deps.released(platform, input);
  // The newest comes last: where two hold the same package, the priority is one and the higher version wins.
  const { own, provided } = repositoriesFor(platform, input);
  const offered = [...provided, ...own].map(({ repository }) => repository);
  const repositories = [...offered, ...released];
  const { workdir } = context;
  const { code, output } = await addRepositories(node, repositories, { workdir, timeout: patience });
  if (code !== 0) throw new Error(`${node.name} cannot read a repository: ${unreadable(output, repositories)}`);
  await placeScripts(node, workdir);
  await node.machine.put(tree, sourceDirectory);
}
