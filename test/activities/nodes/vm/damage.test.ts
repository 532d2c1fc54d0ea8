import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hardwareHere } from '../../../../activities/nodes/vm/accelerator.ts';
import { digestsOf, noteDamage } from '../../../../activities/nodes/vm/damage.ts';
import { createVmProvider } from '../../../../activities/nodes/vm/provider.ts';
import { placesIn, snapshotsIn, writeRecord } from '../../../../activities/nodes/vm/records.ts';
import { must } from '../../../../activities/process/run.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';

const platform = { ...builtInPlatforms[0], provider: 'vm', testImage: 'x', buildImage: 'x' } as Platform;
const need = { name: 'node', platform, kind: 'system', network: 'none' } as const;

/** Snapshots of one image whose memories are none: no emulator restores a machine from them. */
async function scene(t: TestContext, ids: readonly string[]) {
  const root = await mkdtemp(join(tmpdir(), 'sluice-damage-'));
  t.after(() => rm(root, { recursive: true }));
  const places = placesIn(root);
  const hardware = await hardwareHere();
  for (const [time, id] of ids.entries()) {
    const directory = join(places.snapshots, id);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'memory'), `the memory of ${id}`);
    await must('qemu-img', ['create', '-q', '-f', 'qcow2', join(directory, 'disk'), '1M']);
    const of = { image: 'x', from: root, hostKey: 'k', hardware, cores: 1, memoryMiB: 64, bootMs: 1 };
    const digests = await digestsOf({ host: places.host, directory });
    await writeRecord({ host: places.host, directory }, 'snapshot.json', { id, ...of, time, digests });
  }
  const damage = (id: string, part: string) => writeFile(join(places.snapshots, id, part), 'other');
  return { places, damage };
}

test('I10: a damaged snapshot is found out when a machine cannot be restored, and another is prepared', async (t) => {
  const { places, damage } = await scene(t, ['old', 'new']);
  await damage('old', 'memory');
  await damage('new', 'disk');
  const told: string[] = [];
  const prepared: string[] = [];
  const prepare = async (name: string) => {
    prepared.push(name);
    throw new Error('the disk is full');
  };
  const provider = createVmProvider({ places, installation: null, ways: async () => [], prepare });
  const waiting = { signal: AbortSignal.timeout(60_000), tell: (line: string) => void told.push(line) };
  const lease = await provider.lend({ build: `damaged-${process.pid}`, waiting });
  const reason = 'the machine prepared of x cannot be restored: its disk is not as saved';
  await assert.rejects(lease.machine(need), { message: `${reason}, and none can be prepared: the disk is full` });
  assert.deepEqual(told, [
    'the snapshot new is damaged: its disk is not as saved',
    'the snapshot old is damaged: its memory is not as saved',
    `${reason}; it is prepared anew, which takes minutes`,
  ]);
  assert.deepEqual(prepared, [platform.name]);
  assert.deepEqual(await readdir(places.machines), [], 'nothing stays of what was tried');
});

test('I10: what is as it was saved is no damage, whatever kept a machine from being restored', async (t) => {
  const { places, damage } = await scene(t, ['one']);
  const [one] = await snapshotsIn(places);
  assert.ok(one);
  assert.equal(await noteDamage(places, one), null);
  const provider = createVmProvider({ places, installation: null, ways: async () => [] });
  const lease = await provider.lend({ build: `undamaged-${process.pid}` });
  await assert.rejects(lease.machine(need), /^EngineUnavailable: the virtual machine is away: start: /);
  await damage('one', 'disk');
  const { digests: _, ...older } = one;
  assert.equal(await noteDamage(places, older), null, 'of an older one nothing is known');
  assert.deepEqual(await snapshotsIn(places), [one]);
});
