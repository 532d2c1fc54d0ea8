import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { specOf, spotOf } from '../../../../activities/nodes/vm/lend.ts';
import { createVmProvider } from '../../../../activities/nodes/vm/provider.ts';
import { placesIn, writeRecord } from '../../../../activities/nodes/vm/records.ts';

test('I10: of the machines of two installations on one host each has its own, and no network with the other', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-shared-'));
  t.after(() => rm(root, { recursive: true }));
  const places = placesIn(root);
  for (const installation of ['one', 'two']) {
    const id = `b7~${installation}`;
    const spot = spotOf(places, id);
    await mkdir(spot.directory, { recursive: true });
    const of = { build: 'b7', holder: `job/${installation}`, name: 'node', snapshot: 's', hostKey: 'k' };
    await writeRecord(spot, 'machine.json', { id, installation, ...of });
  }
  const hardware = { accelerator: 'tcg', machine: 'pc-q35-7.2', emulator: '7.2' } as const;
  const networks = new Set<string>();
  for (const installation of ['one', 'two']) {
    const provider = createVmProvider({ places, installation, ways: async () => [] });
    assert.deepEqual(await provider.list(), [{ build: 'b7', holder: `job/${installation}` }]);
    networks.add(
      specOf({ id: 'b7~x', build: 'b7' }, { hardware, cores: 1, memoryMiB: 64 }, { installation, ways: [] }).network,
    );
  }
  assert.equal(networks.size, 2);
});
