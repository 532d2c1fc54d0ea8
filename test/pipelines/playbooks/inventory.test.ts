import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inventoryOf, namesOf, type PlaybookHosts } from '../../../pipelines/playbooks/inventory.ts';
import { Literal } from '../../../pipelines/playbooks/variables.ts';

const none: PlaybookHosts = { nodes: [], groups: [], hostVars: {}, groupVars: {}, extraVars: {}, returned: [] };
const itself = { ansible_connection: 'local', ansible_python_interpreter: '{{ ansible_playbook_python }}' };

const rows: readonly [says: string, hosts: Partial<PlaybookHosts>, vars: Record<string, unknown>, all: unknown][] = [
  ['no node is localhost', {}, {}, { vars: {}, hosts: { localhost: itself }, children: {} }],
  [
    'a node is a host by each of its names',
    { nodes: [['one', 'first']] },
    { a: 1 },
    { vars: { a: 1 }, hosts: { one: itself, first: itself }, children: {} },
  ],
  [
    'a group has those of its nodes that there are, and its variables',
    {
      nodes: [['one']],
      groups: [{ name: 'web', nodes: ['one', 'gone'] }],
      groupVars: { web: { b: 2 }, other: { c: 3 } },
    },
    {},
    { vars: {}, hosts: { one: itself }, children: { web: { hosts: { one: {} }, vars: { b: 2 } } } },
  ],
  [
    'variables of the group all stand over those of the job',
    { groupVars: { all: { a: 'all' } } },
    { a: 'job' },
    { vars: { a: 'all' }, hosts: { localhost: itself }, children: {} },
  ],
  [
    'a host has its variables, which do not say how it is reached',
    { nodes: [['one']], hostVars: { one: { d: 4, ansible_connection: 'ssh' }, two: { e: 5 } } },
    {},
    { vars: {}, hosts: { one: { d: 4, ...itself } }, children: {} },
  ],
  [
    'what another job returned is no template, and says nothing to Ansible itself',
    { returned: ['told', 'ansible_shell_executable'] },
    { told: '{{ x }}', own: '{{ y }}', ansible_shell_executable: '/tmp/sh' },
    { vars: { told: new Literal('{{ x }}'), own: '{{ y }}' }, hosts: { localhost: itself }, children: {} },
  ],
];

for (const [says, hosts, vars, all] of rows) {
  test(says, () => assert.deepEqual(inventoryOf({ ...none, ...hosts }, vars), { all }));
}

test('nodes that are reached have their addresses and labels, whatever variables say of the way to them', () => {
  const address = '198.19.0.3';
  const told = { label: 'debian-12', provider: 'vm', external_id: 'two', host_id: 'two', interface_ip: address };
  const nodepool = {
    ...{ ...told, private_ipv4: address, private_ipv6: null, public_ipv4: address, public_ipv6: null },
    ...{ az: null, cloud: null, region: null },
  };
  const way = { ansible_connection: 'sluice', ansible_become_method: 'sluice', ansible_user: 'nobody' };
  const there = { ...way, ansible_host: address, sluice_node: 'two', nodepool };
  const hosts = {
    ...none,
    nodes: [['one'], ['two', 'alias']],
    hostVars: { alias: { a: 1, ansible_connection: 'local' } },
  };
  const reached = [{ name: 'two', label: 'debian-12', provider: 'vm', address, user: 'nobody' }] as const;
  assert.deepEqual(inventoryOf(hosts, {}, reached), {
    all: { vars: {}, hosts: { one: itself, two: there, alias: { a: 1, ...there } }, children: {} },
  });
});

test('the hosts are all names of all nodes', () => {
  assert.deepEqual(namesOf({ nodes: [['a', 'b'], ['c']] }), ['a', 'b', 'c']);
  assert.deepEqual(namesOf({ nodes: [] }), ['localhost']);
});
