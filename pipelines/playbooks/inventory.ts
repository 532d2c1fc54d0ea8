import type { FrozenJob } from '../model/job.ts';
import type { PlatformProvider } from '../model/platform.ts';
import { Literal } from './variables.ts';

/** What playbooks of a job are told of its nodes. */
export interface PlaybookHosts extends Pick<FrozenJob, 'hostVars' | 'groupVars'> {
  /** All names of each node; the first is the lease's. */
  readonly nodes: readonly (readonly string[])[];
  readonly groups: FrozenJob['nodeset']['groups'];
  /** Those of the job's variables that nothing in a playbook overrides. */
  readonly extraVars: FrozenJob['extraVars'];
  /** Names of the job's variables that other jobs have returned. */
  readonly returned: readonly string[];
}

/** A node that is reached from where the playbooks run. */
export interface InventoryNode {
  /** The lease's name of it. */
  readonly name: string;
  readonly label: string;
  readonly provider: PlatformProvider;
  /** By which the other nodes reach it. */
  readonly address: string;
  /** Who runs tasks there, unless they become somebody else. */
  readonly user: string;
}

/** How a node is reached that runs its playbooks itself. */
const itself = { ansible_connection: 'local', ansible_python_interpreter: '{{ ansible_playbook_python }}' };

/**
 * The inventory of a job. A job without a node has `localhost`, which is then among `all`.
 *
 * @param vars the job's variables, for all hosts
 * @param reached the nodes, where the playbooks run elsewhere; none: the job's node runs them itself
 * @returns plain data in the form of Ansible's inventory plugin `yaml`, with literals: see `variablesText`
 */
export function inventoryOf(
  hosts: PlaybookHosts,
  vars: Readonly<Record<string, unknown>>,
  reached: readonly InventoryNode[] = [],
): Readonly<Record<string, unknown>> {
  const names = namesOf(hosts);
  const { all: allVars = {}, ...groupVars } = hosts.groupVars;
  const wayTo = (name: string) => {
    const of = hosts.nodes.find((all) => all.includes(name))?.[0];
    const node = reached.find((each) => each.name === of);
    return node === undefined ? itself : wayToNode(node);
  };
  const groups = hosts.groups.map(({ name, nodes }) => {
    const members = nodes.filter((node) => names.includes(node)).map((node) => [node, {}]);
    return [name, { hosts: Object.fromEntries(members), vars: groupVars[name] ?? {} }];
  });
  return {
    all: {
      vars: { ...withLiterals(vars, hosts.returned), ...allVars },
      hosts: Object.fromEntries(names.map((name) => [name, { ...hosts.hostVars[name], ...wayTo(name) }])),
      children: Object.fromEntries(groups),
    },
  };
}

/** How Ansible reaches a node, and what Zuul tells of one that Nodepool has lent. */
function wayToNode({ name, label, provider, address, user }: InventoryNode) {
  return {
    ansible_connection: 'sluice',
    ansible_become_method: 'sluice',
    ansible_user: user,
    ansible_host: address,
    sluice_node: name,
    nodepool: {
      ...{ label, provider, external_id: name, host_id: name, interface_ip: address },
      ...{ private_ipv4: address, private_ipv6: null, public_ipv4: address, public_ipv6: null },
      ...{ az: null, cloud: null, region: null },
    },
  };
}

/** The hosts that playbooks may name. */
export function namesOf({ nodes }: Pick<PlaybookHosts, 'nodes'>): readonly string[] {
  return nodes.length === 0 ? ['localhost'] : nodes.flat();
}

/** Another job does not say how Ansible itself works here. */
function withLiterals(vars: Readonly<Record<string, unknown>>, returned: readonly string[]) {
  const entries = Object.entries(vars).filter(([name]) => !returned.includes(name) || !name.startsWith('ansible_'));
  return Object.fromEntries(
    entries.map(([name, value]) => [name, returned.includes(name) ? new Literal(value) : value]),
  );
}
