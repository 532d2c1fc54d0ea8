import { fileURLToPath } from 'node:url';
import { type Platform, providerOf } from '../../pipelines/model/platform.ts';
import { variablesText } from '../../pipelines/playbooks/variables.ts';
import type { Machine } from '../nodes/port.ts';

/** Settings, inventory, variables and plugins: nobody but root may write there. */
export const control = '/opt/sluice/control';
const inventory = `${control}/inventory.yaml`;
/** Where sources and playbooks are, and the callback writes what came of a playbook; whoever runs them may write there. */
export const playbookHome = '/work';
/** Who runs them. */
export const playbookUser = 'nobody';
const record = `${playbookHome}/.sluice-playbook.json`;
/** Bytes of it that are read. */
const recordLimit = 256 * 1024;
/** Where Ansible's modules keep what they work on, whoever they are run as. */
const temporary = ['/tmp/.sluice-ansible', '/tmp/.sluice-ansible/remote'];

/** The label whose container runs playbooks for nodes of a platform: its own where its images come with Ansible. */
export function controlLabel(platform: Platform, defaultLabel: string): string {
  return providerOf(platform) === 'docker' && platform.images === 'bootstrap' ? platform.name : defaultLabel;
}

interface Placing {
  readonly nodes: readonly { readonly machine: Pick<Machine, 'exec'> }[];
  readonly inventory: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/**
 * Puts what Ansible needs onto a machine where it is to run, and onto the nodes that it reaches from there.
 *
 * @returns whether Ansible is there
 */
export async function placeControl(machine: Machine, placing: Placing): Promise<boolean> {
  const { nodes, signal } = placing;
  const { code } = await machine.exec(['/bin/sh', '-c', 'command -v ansible-playbook'], { signal });
  if (code !== 0) return false;
  await must(machine, ['mkdir', '-p', control], { signal });
  await machine.put(fileURLToPath(new URL('control', import.meta.url)), control);
  await writeVariables(machine, { path: inventory, variables: placing.inventory, signal });
  for (const each of [machine, ...nodes.map((node) => node.machine)]) {
    await must(each, ['install', '-d', '-m', '1777', ...temporary], { signal });
  }
  return true;
}

interface VariablesFile {
  readonly path: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/** Writes variables that everybody on the machine may read. */
export async function writeVariables(machine: Machine, { path, variables, signal }: VariablesFile): Promise<void> {
  const install = ['install', '-m', '0444', '/dev/stdin', path];
  await must(machine, install, { signal, input: variablesText(variables) });
}

interface Plan {
  /** Absolute path of the playbook. */
  readonly program: string;
  /** Files of variables that nothing overrides, the last word last. */
  readonly variables: readonly string[];
  /** Where roles are found besides those beside the playbook. */
  readonly roles: readonly string[];
  readonly home: string;
}

/** How a playbook is started where `placeControl` was. */
export function ansibleCommand({ program, variables, roles, home }: Plan) {
  const extra = variables.flatMap((file) => ['--extra-vars', `@${file}`]);
  return {
    argv: ['ansible-playbook', '--inventory', inventory, ...extra, program],
    env: {
      ANSIBLE_CONFIG: `${control}/ansible.cfg`,
      ANSIBLE_HOME: `${home}/.ansible`,
      ANSIBLE_ROLES_PATH: roles.join(':'),
      LC_ALL: 'C.UTF-8',
      SLUICE_RECORD: record,
    },
  };
}

/** What the callback has written of the playbook that ran last; nothing is left of it. */
export async function takeRecord(machine: Machine, signal: AbortSignal): Promise<string> {
  const command = `if test -f "$0"; then head -c ${recordLimit} "$0"; fi; rm -rf "$0"`;
  return (await machine.exec(['/bin/sh', '-c', command, record], { user: playbookUser, signal })).output;
}

async function must(
  machine: Pick<Machine, 'exec'>,
  argv: readonly string[],
  options: { readonly signal: AbortSignal; readonly input?: string },
): Promise<void> {
  const { code, output } = await machine.exec(argv, options);
  if (code !== 0) throw new Error(`cannot prepare playbooks: ${argv[0]}: ${output}`);
}
