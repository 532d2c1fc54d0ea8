import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acquire, release } from '../../../pipelines/gate/semaphores.ts';
import { allocate, type NodeRequest } from '../../../pipelines/nodes/allocate.ts';

function request(id: string, labels: readonly string[], priority = 200): NodeRequest {
  return { id, labels, priority, age: Number(id) };
}

function served(...of: Parameters<typeof allocate>): readonly string[] {
  return [...allocate(...of)].map(([id, leases]) => `${id}: ${leases.map(({ node }) => node).join(' ')}`.trim());
}

const rows: readonly (readonly [
  says: string,
  requests: readonly NodeRequest[],
  used: number,
  served: readonly string[],
])[] = [
  ['a label that is not named has no limit', [request('1', ['any', 'any'])], 2, ['1: any-1 any-2']],
  ['the older request comes first', [request('2', ['vm']), request('1', ['vm'])], 1, ['1: vm-2']],
  ['precedence comes before age', [request('1', ['vm']), request('2', ['vm'], 100)], 1, ['2: vm-2']],
  ['all nodes of a job or none', [request('1', ['vm', 'vm'])], 1, []],
  ['a waiting request is not overtaken on its labels', [request('1', ['vm', 'vm']), request('2', ['vm'])], 1, []],
  ['other labels go on', [request('1', ['vm', 'vm']), request('2', ['any'])], 1, ['2: any-1']],
  ['a job without nodes never waits', [request('1', [])], 2, ['1:']],
];

for (const [says, requests, used, expected] of rows) {
  test(says, () => {
    const leases = Array.from({ length: used }, (_, index) => ({ node: `vm-${index + 1}`, label: 'vm' }));
    assert.deepEqual(served(requests, leases, { vm: 2 }), expected);
  });
}

test('semaphores are taken all together or not at all', () => {
  const held = acquire({}, { board: 1 }, { holder: 'a', names: ['board'] });
  assert.deepEqual(held, { board: ['a'] });
  assert.equal(acquire(held ?? {}, {}, { holder: 'b', names: ['cable', 'board'] }), undefined);
  assert.deepEqual(acquire(held ?? {}, { board: 2 }, { holder: 'b', names: ['cable', 'board'] }), {
    board: ['a', 'b'],
    cable: ['b'],
  });
});

test('a holder keeps what it has, and gives all of it back', () => {
  const held = { board: ['a', 'b'], cable: ['a'] };
  assert.deepEqual(acquire(held, { board: 2 }, { holder: 'a', names: ['board'] }), held);
  assert.deepEqual(release(held, 'a'), { board: ['b'] });
});
