import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { must } from '../../../../activities/process/run.ts';
import { cloudDisk } from './cloud-disk.ts';
import { lendGiven, looked, looks } from './lend-given.ts';

test('I10: a machine of a given disk is restarted, and a disk with Sluice’s own set-up needs no cloud-init', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-own-'));
  t.after(() => rm(root, { recursive: true }));
  const { from, machine, run, disk } = await lendGiven(t, { file: await cloudDisk() });
  await machine.restart(AbortSignal.timeout(1_000_000));
  assert.deepEqual((await run(looks)).split('\n'), looked);
  await must('qemu-img', ['convert', '-O', 'qcow2', disk, join(root, 'own.qcow2')]);
  const hostKey = (await readFile(join(from, 'machine.pub'), 'utf8')).trim();
  const own = { file: join(root, 'own.qcow2'), key: { file: join(from, 'client') }, hostKey };
  const again = await lendGiven(t, own);
  assert.deepEqual((await again.run(looks)).split('\n'), looked);
});
