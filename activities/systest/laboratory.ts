import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StageInput } from '../../workflows/contract.ts';
import type { InstallStageDeps } from '../install/install-stage.ts';
import { placeScripts, sourceDirectory } from '../install/place-scripts.ts';
import { testRepositories } from '../install/repositories.ts';
import { packageManagers } from '../nodes/packages/managers.ts';
import { addRepositories, type Node } from '../nodes/packages/node.ts';
import type { Container, ContainerNetwork, StageContext } from '../ports.ts';

/** The nodes of one system test. They reach repositories until `closeDoors`, and from then on only each other. */
export interface Laboratory {
  readonly nodes: ReadonlyMap<string, Node>;
  closeDoors(): Promise<void>;
  /** Removes nodes and network; whatever still runs there ends. */
  close(): Promise<void>;
}

interface Plan {
  readonly input: StageInput;
  readonly context: StageContext;
  /** The source tree, put onto each node. */
  readonly tree: string;
}

interface Machine {
  readonly node: Node;
  readonly container: Container;
}

/** Milliseconds for reading the repositories' indexes, and for the small commands that wire the nodes. */
const patience = 180_000;

/** Starts the job's nodes and offers them all test repositories at once, and the released one. */
export async function openLaboratory(deps: InstallStageDeps, plan: Plan): Promise<Laboratory> {
  const machines: Machine[] = [];
  const networks: ContainerNetwork[] = [];
  const close = async () => {
    await Promise.all(machines.map(({ container }) => container.remove()));
    for (const network of networks) await network.remove();
  };
  try {
    const started = plan.input.nodes.map(({ name, label }) => startMachine(deps, plan, { name, label }));
    for (const outcome of await Promise.allSettled(started)) {
      if (outcome.status === 'fulfilled') machines.push(outcome.value);
      else throw outcome.reason;
    }
    await Promise.all(machines.map(({ node }) => equip(deps, plan, node)));
  } catch (error) {
    await close();
    throw error;
  }
  const closeDoors = async () => {
    if (networks.length > 0) return;
    const { id } = plan.input.build;
    const network = await deps.engine.createNetwork(`sluice-${id}`, { internal: true, build: id });
    networks.push(network);
    await wire(machines, network, plan.context);
  };
  return { nodes: new Map(machines.map(({ node }) => [node.name, node])), closeDoors, close };
}

async function startMachine(
  deps: InstallStageDeps,
  { input, context }: Plan,
  { name, label }: { readonly name: string; readonly label: string },
): Promise<Machine> {
  const platform = deps.platform(label);
  const container = await deps.engine.start({
    image: platform.testImage,
    build: input.build.id,
    hostname: name,
    network: 'default',
    limits: platform.limits,
    privileges: 'system',
  });
  const manager = packageManagers[platform.format];
  return { container, node: { name, machine: container, manager, signal: context.signal, log: context.log } };
}

async function equip(deps: InstallStageDeps, { input, context, tree }: Plan, node: Node): Promise<void> {
  const label = input.nodes.find(({ name }) => name === node.name)?.label ?? '';
  const platform = deps.platform(label);
  const released = await deps.released(platform);
  // The newest comes last: where two hold the same package, the priority is one and the higher version wins.
  const offered = testRepositories([...input.provided, ...input.parents])
    .filter(({ metadata }) => metadata.format === platform.format)
    .map(({ repository }) => repository);
  const repositories = [...offered, ...(released === null ? [] : [released])];
  const { workdir } = context;
  const { code, output } = await addRepositories(node, repositories, { workdir, timeout: patience });
  if (code !== 0) throw new Error(`${node.name} cannot read the test repositories: ${output.trim().slice(-300)}`);
  await placeScripts(node, workdir);
  await node.machine.copyIn(tree, sourceDirectory);
}

/** Moves the nodes into a network of their own, where each knows the others by name. */
async function wire(machines: readonly Machine[], network: ContainerNetwork, context: StageContext): Promise<void> {
  const { signal } = context;
  const hosts = new Map<string, string>();
  for (const { container, node } of machines) {
    await container.isolate();
    await container.connect(network.name);
    const { output } = await container.exec(['hostname', '-I'], { signal, timeout: patience });
    hosts.set(node.name, output.trim().split(/\s+/)[0] ?? '');
  }
  const directory = await mkdtemp(join(context.workdir, 'hosts-'));
  const lines = [...hosts].map(([name, address]) => `${address} ${name}\n`);
  await writeFile(join(directory, 'sluice-hosts'), `127.0.0.1 localhost\n${lines.join('')}`);
  for (const { container } of machines) {
    await container.copyIn(directory, '/tmp');
    // The engine keeps /etc/hosts mounted, so it is written in place.
    const { code, output } = await container.exec(['cp', '/tmp/sluice-hosts', '/etc/hosts'], { signal });
    if (code !== 0) throw new Error(`cannot name the nodes: ${output}`);
  }
}
