import { type Platform, providerOf } from '../../pipelines/model/platform.ts';
import { inventoryOf } from '../../pipelines/playbooks/inventory.ts';
import { playbookFault, playbookLate } from '../../pipelines/playbooks/outcome.ts';
import type { PlaybookStep, Scenario } from '../../pipelines/systest/scenario.ts';
import type { StageInput } from '../../workflows/contract.ts';
import { sourceDirectory } from '../install/place-scripts.ts';
import { type Node, onNode } from '../nodes/packages/node.ts';
import type { Addresses, Machine } from '../nodes/port.ts';
import { openChannel } from '../playbooks/channel.ts';
import {
  ansibleCommand,
  controlLabel,
  placeControl,
  playbookHome,
  playbookUser,
  takeRecord,
} from '../playbooks/control.ts';
import type { StageContext } from '../ports.ts';
import type { StepRun } from './problem.ts';

/** Where the sources are on the machine that runs playbooks. */
const sources = `${playbookHome}/source`;
/** Milliseconds for the installation of Python. */
const patience = 600_000;

interface ControlDeps {
  readonly platform: (label: string) => Platform;
  readonly defaultLabel: string;
}

/** Starts the container that playbooks run in: it reaches the nodes by the worker, and nothing else. */
export function startControl(
  { platform, defaultLabel }: ControlDeps,
  { nodes: [first] }: StageInput,
  { lease }: Pick<StageContext, 'lease'>,
): Promise<Machine> {
  const label = first === undefined ? defaultLabel : controlLabel(platform(first.label), defaultLabel);
  const scratch = [playbookHome, '/tmp', '/var/tmp'];
  return lease.machine({
    name: 'sluice',
    platform: platform(label),
    kind: 'control',
    network: 'none',
    apart: true,
    scratch,
  });
}

const pythonScript = `command -v python3 >/dev/null && exit
if command -v apt-get >/dev/null
then
  install() { apt-get -q -y --no-install-recommends install python3; }
  install || { apt-get -q update && install; }
else dnf -q -y install python3
fi`;

/** Ansible needs it on each node, and a minimal system has none. @throws where it cannot be had */
export async function addPython(node: Node): Promise<void> {
  const { code, output } = await onNode(node, ['sh', '-c', pythonScript], patience);
  if (code === 0) return;
  throw new Error(
    `${node.name} has no Python 3 for playbooks, and none can be installed: ${output.slice(-500).trim()}`,
  );
}

interface Stage {
  readonly machine: Machine | undefined;
  readonly nodes: readonly Node[];
  readonly addresses: Addresses;
  readonly platform: ControlDeps['platform'];
  readonly input: StageInput;
  readonly tree: string;
  readonly context: StageContext;
}

/** Runs a playbook over the nodes as root, in the source tree, like the steps beside it. */
export async function playStep(stage: Stage, step: PlaybookStep, roles: Scenario['roles']): Promise<StepRun> {
  const { machine, input, context } = stage;
  if (machine === undefined) throw new Error('no machine was started for playbooks');
  const { signal, log } = context;
  const started = performance.now();
  await furnish(stage, machine, roles);
  const nodes = new Map(stage.nodes.map((node) => [node.name, node.machine]));
  const as = { user: 'root', cwd: sourceDirectory, home: '/root' };
  const channel = await openChannel({ control: machine, nodes, as, signal });
  const plan = {
    program: `${sources}/${step.playbook}`,
    variables: [],
    roles: [`${sources}/roles`],
    home: playbookHome,
  };
  const { argv, env } = ansibleCommand(plan);
  const options = { user: playbookUser, cwd: sources, env: { ...env, ...channel.env, HOME: playbookHome } };
  const ended = await machine
    .exec(argv, { ...options, log, signal, timeout: step.timeout * 1000 })
    .finally(() => channel.close());
  const record = await takeRecord(machine, signal);
  const hosts = input.nodes.map(({ name }) => name);
  const run = { ...ended, path: step.playbook, root: sources, hosts, record };
  const fault = ended.timedOut ? playbookLate(run) : playbookFault(run)?.summary;
  const seconds = (performance.now() - started) / 1000;
  return fault === undefined
    ? { seconds }
    : { seconds, failure: { message: fault, text: ended.output.slice(-20_000) } };
}

/** What one playbook has changed is there for the next. */
async function furnish(stage: Stage, machine: Machine, roles: Scenario['roles']): Promise<void> {
  const { nodes, input, tree, addresses, platform, context } = stage;
  const { signal } = context;
  const groups = Object.entries(roles).map(([name, members]) => ({ name, nodes: members }));
  const told = { hostVars: {}, groupVars: {}, extraVars: {}, returned: [] };
  const hosts = { ...told, nodes: input.nodes.map(({ name }) => [name]), groups };
  const reached = input.nodes.map((node) => {
    const address = addresses[node.name] ?? node.name;
    return { ...node, provider: providerOf(platform(node.label)), address, user: 'root' };
  });
  const inventory = inventoryOf(hosts, input.vars, reached);
  await machine.put(tree, sources);
  const { code, output } = await machine.exec(['chown', '-R', playbookUser, playbookHome], { signal });
  if (code !== 0) throw new Error(`cannot prepare playbooks: ${output}`);
  if (!(await placeControl(machine, { nodes, inventory, signal }))) {
    throw new Error('there is no ansible-playbook in the container that is to run playbooks');
  }
}
