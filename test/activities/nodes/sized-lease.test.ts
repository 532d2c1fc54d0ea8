import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease, Machine, MachineNeed } from '../../../activities/nodes/port.ts';
import { sizedLease } from '../../../activities/nodes/sized-lease.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';

test('I10: machines have what their nodes ask for, by name or as the only one of a stage', async () => {
  const lent: MachineNeed[] = [];
  const lease = { machine: async (need: MachineNeed) => ({ n: lent.push(need) }) as unknown as Machine } as Lease;
  const [platform = assert.fail(), other = assert.fail()] = builtInPlatforms;
  const { cpus, memoryMiB } = platform.limits;
  const size = { cores: 8, ramGb: 32.5 };
  const nodes = [
    { name: 'plain', label: platform.name },
    { name: 'big', label: platform.name, size },
  ];
  const need = { platform, kind: 'system', network: 'none' } as const;
  for (const name of ['plain', 'big']) await sizedLease(lease, nodes).machine({ ...need, name });
  await sizedLease(lease, nodes.slice(1)).machine({ ...need, name: 'node' });
  await sizedLease(lease, nodes.slice(1)).machine({ ...need, name: 'sluice', apart: true });
  await sizedLease(lease, nodes).machine({ ...need, name: 'big', platform: other });
  const [usual, big] = [
    [cpus, memoryMiB],
    [8, 33_280],
  ];
  assert.deepEqual(
    lent.map(({ platform: { limits } }) => [limits.cpus, limits.memoryMiB]),
    [usual, big, big, usual, [other.limits.cpus, other.limits.memoryMiB]],
  );
  assert.equal(sizedLease(lease, nodes.slice(0, 1)), lease);
});
