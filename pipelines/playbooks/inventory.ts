import type { FrozenJob } from '../model/job.ts';
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

/** How a node is reached that runs its playbooks itself. */
const itself = { ansible_connection: 'local', ansible_python_interpreter: '{{ ansible_playbook_python }}' };

/**
 * The inventory of a job whose node runs the playbooks. A job without a node has `localhost`, which is then among `all`.
 *
 * @param vars the job's variables, for all hosts
 * @returns plain data in the form of Ansible's inventory plugin `yaml`, with literals: see `variablesText`
 */
export function inventoryOf(
  hosts: PlaybookHosts,
  vars: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const names = namesOf(hosts);
  const { all: allVars = {}, ...groupVars } = hosts.groupVars;
  const groups = hosts.groups.map(({ name, nodes }) => {
    const members = nodes.filter((node) => names.includes(node)).map((node) => [node, {}]);
    return [name, { hosts: Object.fromEntries(members), vars: groupVars[name] ?? {} }];
  });
  return {
    all: {
      vars: { ...withLiterals(vars, hosts.returned), ...allVars },
      hosts: Object.fromEntries(names.map((name) => [name, { ...hosts.hostVars[name], ...itself }])),
      children: Object.fromEntries(groups),
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
