import type { Platform } from '../../pipelines/model/platform.ts';
import { type InventoryNode, inventoryOf, type PlaybookHosts } from '../../pipelines/playbooks/inventory.ts';
import { playbookFault, playbookLate } from '../../pipelines/playbooks/outcome.ts';
import type { Lease, Machine, Output } from '../nodes/port.ts';
import { openChannel } from './channel.ts';
import { ansibleCommand, placeControl, playbookHome, playbookUser, takeRecord } from './control.ts';

/** Where the sources are on the machine that runs playbooks. */
const sources = `${playbookHome}/source`;

/** A playbook that is run as root over nodes, and all that it is run with. */
export interface Play {
  /** The machine that runs it, by `startControl`. */
  readonly control: Machine;
  readonly nodes: readonly (InventoryNode & { readonly machine: Pick<Machine, 'exec'> })[];
  readonly groups: PlaybookHosts['groups'];
  /** Variables of all nodes. */
  readonly vars: Readonly<Record<string, unknown>>;
  /** Directory of this host with the playbook, and with what it uses: roles, templates, files. */
  readonly tree: string;
  /** The playbook's path in it. */
  readonly playbook: string;
  /** Where tasks run on the nodes. */
  readonly cwd: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly log: Output;
  readonly signal: AbortSignal;
}

/** Starts a container that playbooks run in: it reaches the nodes by this process, and nothing else. */
export function startControl(lease: Pick<Lease, 'machine'>, platform: Platform): Promise<Machine> {
  const scratch = [playbookHome, '/tmp', '/var/tmp'];
  return lease.machine({ name: 'sluice', platform, kind: 'control', network: 'none', apart: true, scratch });
}

/**
 * Runs a playbook. What another one has changed on the nodes is there for it.
 *
 * @returns what it printed, and why it did not end well, in one line; null: it did
 */
export async function play(of: Play): Promise<{ readonly fault: string | null; readonly output: string }> {
  const { control, playbook, nodes, cwd, log, signal } = of;
  await furnish(of);
  const machines = new Map(nodes.map(({ name, machine }) => [name, machine]));
  const channel = await openChannel({ control, nodes: machines, as: { user: 'root', cwd, home: '/root' }, signal });
  const program = `${sources}/${playbook}`;
  const plan = { program, variables: [], roles: [`${sources}/roles`], home: playbookHome };
  const { argv, env } = ansibleCommand(plan);
  const options = { user: playbookUser, cwd: sources, env: { ...env, ...channel.env, HOME: playbookHome } };
  const ended = await control
    .exec(argv, { ...options, log, signal, timeout: of.timeout })
    .finally(() => channel.close());
  const record = await takeRecord(control, signal);
  const hosts = nodes.map(({ name }) => name);
  const run = { ...ended, path: playbook, root: sources, hosts, record };
  const fault = ended.timedOut ? playbookLate(run) : playbookFault(run)?.summary;
  return { fault: fault ?? null, output: ended.output };
}

async function furnish({ control, nodes, groups, vars, tree, signal }: Play): Promise<void> {
  const told = { hostVars: {}, groupVars: {}, extraVars: {}, returned: [] };
  const inventory = inventoryOf({ ...told, nodes: nodes.map(({ name }) => [name]), groups }, vars, nodes);
  await control.put(tree, sources);
  const { code, output } = await control.exec(['chown', '-R', playbookUser, playbookHome], { signal });
  if (code !== 0) throw new Error(`cannot prepare playbooks: ${output}`);
  if (!(await placeControl(control, { nodes, inventory, signal }))) {
    throw new Error('there is no ansible-playbook in the container that is to run playbooks');
  }
}
