import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stepNotKept } from '../../pipelines/report/machines.ts';
import type { PlaybookStep, Scenario } from '../../pipelines/systest/scenario.ts';
import type { StageInput } from '../../workflows/contract.ts';
import type { InstallStageDeps } from '../install/install-stage.ts';
import { placeRoot, scriptDirectory, sourceDirectory, writeScripts } from '../install/place-scripts.ts';
import { repositoriesFor } from '../install/repositories.ts';
import { readTested } from '../install/under-test.ts';
import { nodeOn } from '../nodes/packages/managers.ts';
import { addRepositories, type Node } from '../nodes/packages/node.ts';
import type { NodeRepository } from '../nodes/packages/port.ts';
import { unreadable } from '../nodes/packages/unreadable.ts';
import type { Addresses, TestStep } from '../nodes/port.ts';
import { controlLabel } from '../playbooks/control.ts';
import { startControl } from '../playbooks/play.ts';
import { addPython } from '../playbooks/python.ts';
import type { BuildLog, StageContext } from '../ports.ts';
import { playStep } from './play.ts';
import type { StepRun } from './problem.ts';

/**
 * The nodes of one system test. They reach repositories until `closeDoors`, and from then on only each other; machines
 * that keep networks of their own reach what they reach.
 */
export interface Laboratory {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly log: BuildLog;
  closeDoors(): Promise<void>;
  /** Has the machines know where the test is, and be saved after its last step if that was asked. */
  beginStep(step: TestStep & { readonly save: boolean }): Promise<void>;
  /** Runs a playbook over the nodes, once the doors are closed. @param roles names of groups, and the nodes in each */
  play(step: PlaybookStep, roles: Scenario['roles']): Promise<StepRun>;
}

interface Plan {
  readonly input: StageInput;
  readonly context: StageContext;
  /** A directory that stands for the root of each node, with the source tree in its place. */
  readonly root: string;
  /** Whether scenarios have playbooks among their steps. */
  readonly plays: boolean;
  /** Names of the packages under test. */
  readonly packages: readonly string[];
  /** Gets each node as it starts, also of a laboratory that is never whole. */
  readonly started: Node[];
}

/** Milliseconds for reading the repositories' indexes: a machine whose processor is emulated takes minutes for it. */
const patience = 600_000;

export interface LaboratoryDeps extends InstallStageDeps {
  /** Label of the container that runs playbooks for nodes whose own images have no Ansible. */
  readonly defaultLabel: string;
}

/** Starts the job's nodes and offers them all test repositories at once, and the released one. */
export async function openLaboratory(deps: LaboratoryDeps, plan: Plan): Promise<Laboratory> {
  const { input, context, plays, root } = plan;
  const { platform } = deps;
  const starting = plays ? startControl(context.lease, platform(controlOf(deps, input))) : undefined;
  // Whoever plays hears of it.
  starting?.catch(() => {});
  await writeScripts(root);
  await writeFile(join(root, packagesFile), plan.packages.map((name) => `${name}\n`).join(''));
  const given = await Promise.all(input.nodes.map((node) => startNode(deps, plan, node)));
  await Promise.all(given.map((each) => equip(plan, each)));
  const nodes = given.map(({ node }) => node);
  if (plays) await Promise.all(nodes.map((node) => addPython(node)));
  const machine = await starting;
  const { lease, log, signal } = context;
  const kept = nodes.filter(({ door }) => door === undefined).map(({ name }) => name);
  let addresses: Addresses = {};
  const closeDoors = async () => {
    if (kept.length > 0) log.write(`${kept.join(', ')}: machines with networks of their own, which stay open\n`);
    addresses = await (kept.length === 0 ? lease.seclude(signal) : lease.introduce(signal));
  };
  let before = 0;
  const beginStep = async (step: TestStep & { readonly save: boolean }) => {
    await lease.beginStep?.(step).catch((error: Error) => log.write(`${stepNotKept(before, error.message)}\n`));
    before = step.number;
  };
  return {
    ...{ nodes: new Map(nodes.map((node) => [node.name, node])), log, closeDoors, beginStep },
    play: (step, roles) =>
      playStep({ machine, nodes, addresses, platform, input, tree: join(root, sourceDirectory), context }, step, roles),
  };
}

/** The label of the container that runs playbooks. */
function controlOf({ platform, defaultLabel }: LaboratoryDeps, { nodes: [first] }: StageInput): string {
  return first === undefined ? defaultLabel : controlLabel(platform(first.label), defaultLabel);
}

interface Given {
  readonly node: Node;
  /** What it is offered. */
  readonly repositories: readonly NodeRepository[];
}

async function startNode(
  deps: InstallStageDeps,
  { input, context, started }: Plan,
  { name, label }: { readonly name: string; readonly label: string },
): Promise<Given> {
  const platform = deps.platform(label);
  const released = await deps.released(platform, input);
  const { own, provided, versions: tested } = await readTested(deps.store, repositoriesFor(platform, input));
  const machine = await context.lease.machine({ name, platform, kind: 'system', network: 'open' });
  const { signal, log } = context;
  const node = nodeOn(machine, { name, platform, signal, log, tested });
  started.push(node);
  return { node, repositories: [...own, ...provided, ...released] };
}

/** Lists the packages under test, one a line, for steps that make something of them. */
const packagesFile = `${scriptDirectory}/packages`;

async function equip({ context: { workdir }, root }: Plan, { node, repositories }: Given): Promise<void> {
  const { code, output } = await addRepositories(node, repositories, { workdir, timeout: patience });
  if (code !== 0) throw new Error(`${node.name} cannot read a repository: ${unreadable(output, repositories)}`);
  await placeRoot(node, root);
}
