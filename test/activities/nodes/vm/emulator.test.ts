import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { processName } from '../../../../activities/nodes/vm/arguments.ts';
import { emulatorsOf, endEmulator } from '../../../../activities/nodes/vm/emulator.ts';
import { emulator } from '../../../../activities/nodes/vm/host.ts';
import { localHost } from '../../../../activities/nodes/vm/hosts/local/host.ts';
import { withMonitor } from '../../../../activities/nodes/vm/monitor.ts';
import { watchDisk } from '../../../../activities/nodes/vm/watch-disk.ts';
import { asRoot } from '../../../../activities/process/in-terminal.ts';
import { must } from '../../../../activities/process/run.ts';

/** A machine that has no more than its firmware, and perhaps a disk. */
async function start(t: TestContext, directory: string, more: readonly string[] = []) {
  const id = `test-${process.pid}~${randomBytes(4).toString('hex')}`;
  const bare = ['-machine', 'q35,accel=tcg', '-m', '16', '-nodefaults', '-no-user-config', '-display', 'none'];
  const monitor = ['-qmp', 'unix:qmp,server=on,wait=off'];
  const child = spawn(emulator, ['-name', processName(id), ...bare, ...monitor, ...more], {
    cwd: directory,
    stdio: 'ignore',
  });
  t.after(() => endEmulator(localHost, id));
  await once(child, 'spawn');
  const status = async () => {
    for (;;) {
      try {
        return (
          await withMonitor({ host: localHost, directory }, (each) => each.ask<{ status: string }>('query-status'))
        ).status;
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException;
        if (!['ENOENT', 'ECONNREFUSED'].includes(code)) throw error;
        await sleep(25);
      }
    }
  };
  return { id, status };
}

async function place(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-emulator-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

/** A directory that has room for 1 MiB. */
async function tinyDisk(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-full-'));
  const root = (...command: string[]) => must('env', [...asRoot(), ...command]);
  await root('mount', '-t', 'tmpfs', '-o', 'size=1m,mode=777', 'full', directory);
  t.after(async () => {
    await root('umount', '--lazy', directory);
    await rm(directory, { recursive: true });
  });
  return directory;
}

test('I10: a machine whose system ignores that it is to shut down is ended all the same', async (t) => {
  const directory = await place(t);
  const { id, status } = await start(t, directory);
  assert.equal(await status(), 'running');
  await withMonitor({ host: localHost, directory }, (monitor) => monitor.ask('system_powerdown'));
  await sleep(1_000);
  assert.equal(await status(), 'running', 'it takes no notice');
  assert.equal((await emulatorsOf(localHost, id)).length, 1);
  await endEmulator(localHost, id);
  assert.deepEqual(await emulatorsOf(localHost, id), []);
  await endEmulator(localHost, id);
});

/**
 * `xor ax, ax · mov ds, ax · again: mov si, packet · mov ax, 0x4300 · mov dl, 0x80 · int 0x13 · add word [packet + 8], 64 ·
 * jmp again`, and the packet of a write: 64 sectors from 0x1000:0 to sector 1.
 */
const writer = Buffer.from(
  '31c08ed8be187cb80043b280cd138306207c40ebef909090100040000000001001000000'.padEnd(1020, '0'),
  'hex',
);

test('I10: a machine that stands still because the disk of the host is full is given up, and it is said why', async (t) => {
  const directory = await tinyDisk(t);
  const base = await place(t);
  await writeFile(join(base, 'base'), Buffer.concat([writer, Buffer.from('55aa', 'hex')]));
  await truncate(join(base, 'base'), 64 * 1024 * 1024);
  await must('qemu-img', [
    'create',
    '-q',
    '-f',
    'qcow2',
    '-F',
    'raw',
    '-b',
    join(base, 'base'),
    join(directory, 'disk'),
  ]);
  const drive = [
    '-drive',
    'if=none,id=root,file=disk,format=qcow2,cache=unsafe',
    '-device',
    'virtio-blk-pci,drive=root',
  ];
  const { id, status } = await start(t, directory, drive);
  for (const end = Date.now() + 120_000; (await status()) !== 'io-error'; await sleep(100)) {
    assert.ok(Date.now() < end, 'it has not filled the disk');
  }
  const said: string[] = [];
  const stop = watchDisk({ host: localHost, id, directory, tell: (line) => void said.push(line) }, 100);
  t.after(stop);
  for (const end = Date.now() + 120_000; (await emulatorsOf(localHost, id)).length > 0; await sleep(50)) {
    assert.ok(Date.now() < end, 'it is still there');
  }
  assert.match(said.join('\n'), /^the disk of its host is full, or broken: /);
  assert.equal(said.length, 1);
});
