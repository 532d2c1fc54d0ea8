import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHosts } from '../../server/debug-sessions.ts';
import type { KeptView, SnapshotList } from '../../workflows/snapshots-contract.ts';

const kept = (build: string, host: string): KeptView => {
  return { build, host, time: 1, until: 2, bytes: 3, nodes: ['n'], steps: [], open: false };
};
const silent = [{ host: 'big-2', reason: 'the worker of big-2 does not say what it keeps: gone' }];

/** Finds hosts by one list, and counts how often somebody looked at it. */
function finding(others: readonly string[], found: Partial<SnapshotList>) {
  const all = { snapshots: [], kept: [], held: [], missing: [], failed: [], ...found };
  const looks = { count: 0 };
  const hostOf = findHosts(
    'own',
    () => others,
    async () => {
      looks.count += 1;
      return all;
    },
  );
  return { hostOf, looks };
}

test('I10: kept machines are found where they are, once; without other hosts nobody looks', async () => {
  const { hostOf, looks } = finding(['big-1'], { kept: [kept('a', 'own'), kept('b', 'big-1')] });
  assert.deepEqual([await hostOf('a'), await hostOf('b'), await hostOf('b')], ['own', 'big-1', 'big-1']);
  assert.equal(looks.count, 2);
  assert.equal(await hostOf('c'), 'own', 'who asks there hears that nothing is kept');
  const alone = finding([], {});
  assert.deepEqual([await alone.hostOf('a'), alone.looks.count], ['own', 0]);
});

test('I10: where a host does not answer that may keep machines, nobody says that there are none', async () => {
  const { hostOf } = finding(['big-1', 'big-2'], { kept: [kept('b', 'big-1')], silent });
  assert.equal(await hostOf('b'), 'big-1');
  await assert.rejects(hostOf('c'), { name: 'HostSilent', message: /^the worker of big-2 does not say what it keeps/ });
});
