import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hardwareHere } from '../../../../activities/nodes/vm/accelerator.ts';
import { prepareSnapshot } from '../../../../activities/nodes/vm/prepare.ts';
import { placesIn } from '../../../../activities/nodes/vm/records.ts';
import { must } from '../../../../activities/process/run.ts';

const at = 0x100000;

/**
 * A kernel by the Multiboot specification (0.6.96, 3.1) that prints a text on the first serial port and stops:
 * `cld · mov esi, text · next: lodsb · test al, al · jz end · mov dx, 0x3f8 · out dx, al · jmp next · end: hlt · jmp end`.
 */
function kernelThatSays(text: string): Buffer {
  const header = Buffer.alloc(32);
  const [magic, flags] = [0x1badb002, 0x10000];
  for (const [index, value] of [magic, flags, 2 ** 32 - magic - flags, at, at, 0, 0, at + 32].entries()) {
    header.writeUInt32LE(value, 4 * index);
  }
  const code = Buffer.from('fcbe00000000ac84c0740766baf803eeebf4f4ebfd', 'hex');
  code.writeUInt32LE(at + header.length + code.length, 2);
  return Buffer.concat([header, code, Buffer.from(`${text}\0`)]);
}

/** An image of that kernel. @returns with how it is prepared, in few seconds or not at all */
async function scene(t: TestContext, kernel: Buffer) {
  const root = await mkdtemp(join(tmpdir(), 'sluice-prepare-'));
  t.after(() => rm(root, { recursive: true }));
  await writeFile(join(root, 'vmlinuz'), kernel);
  await writeFile(join(root, 'initrd'), 'none');
  await writeFile(join(root, 'disk'), '');
  await truncate(join(root, 'disk'), 1024 * 1024);
  for (const name of ['machine', 'client']) {
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(root, name)]);
  }
  const places = placesIn(join(root, 'places'));
  const of = { image: 'x', from: root, hardware: await hardwareHere(), cores: 1, memoryMiB: 64 };
  const signal = AbortSignal.timeout(600_000);
  const prepare = (patience = 5_000) =>
    prepareSnapshot({ places, installation: null, ways: [] }, of, { signal, patience });
  const left = async () => (await Promise.all([readdir(places.machines), readdir(places.snapshots)].map(there))).flat();
  return { prepare, left };
}

const there = (names: Promise<readonly string[]>) => names.catch(() => []);

test('I10: an image that does not boot is given up at its limit, with the end of its console', async (t) => {
  const { prepare, left } = await scene(t, kernelThatSays('Kernel panic - not syncing: no init found'));
  const given = async (patience: number) =>
    prepare(patience).then(
      () => assert.fail('it boots'),
      (error: Error) => error.message,
    );
  const panic = /Kernel panic - not syncing: no init found$/;
  let said = await given(5_000);
  // On a busy machine it may take longer to come as far as that.
  if (!panic.test(said)) said = await given(60_000);
  assert.match(said, /^it has not booted after (5|60) s: .*the machine does not answer; the end of its console:\n/);
  assert.match(said, panic);
  assert.deepEqual(await left(), []);
});

test('I10: an image whose kernel is none is refused at once, in the words of the emulator', async (t) => {
  const { prepare, left } = await scene(t, Buffer.from('no kernel at all'));
  await assert.rejects(prepare(), /^EngineUnavailable: the virtual machine is away: start: .*kernel/s);
  assert.deepEqual(await left(), []);
});
