import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineUnavailable } from '../../../../activities/nodes/engine-unavailable.ts';
import { emulatorArguments, type MachineSpec } from '../../../../activities/nodes/vm/arguments.ts';
import { readConsole } from '../../../../activities/nodes/vm/console.ts';
import { emulatorsOf, endEmulator, startEmulator } from '../../../../activities/nodes/vm/emulator.ts';
import { emulator } from '../../../../activities/nodes/vm/host.ts';
import { localHost } from '../../../../activities/nodes/vm/hosts/local/host.ts';
import { openConsole } from '../../../../activities/nodes/vm/hosts/local/programs.ts';
import { restoreMachine } from '../../../../activities/nodes/vm/lend.ts';
import { machinesIn, placesIn } from '../../../../activities/nodes/vm/records.ts';
import { saveMemory } from '../../../../activities/nodes/vm/save.ts';
import { must } from '../../../../activities/process/run.ts';

const mebibyte = 1024 * 1024;
const cut = '(not all of it: this is the last MiB)\n';

async function place(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-console-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

const inside = (directory: string) => ({ host: localHost, directory });

const sizeIn = async (directory: string) => (await stat(join(directory, 'console.log'))).size;

/** Waits for something to become so. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 120_000; !(await isSo()); await sleep(50)) assert.ok(Date.now() < end, what);
}

test('I10: a console has what was printed before and since, and says where that is not all; 2 MiB are on disk', async (t) => {
  const directory = await place(t);
  assert.equal(await readConsole(inside(directory)), '');
  await writeFile(join(directory, 'console.log'), 'the first boot\n');
  const output = await openConsole(directory);
  output.write('the \u001b[1msecond\r\n');
  await until('it is written', async () => (await readConsole(inside(directory))).endsWith('second\n'));
  assert.equal(await readConsole(inside(directory)), 'the first boot\nthe [1msecond\n');
  let largest = 0;
  for (let line = 0; line < 400_000; line += 10_000) {
    output.write(Array.from({ length: 10_000 }, (_, index) => `line ${line + index}\n`).join(''));
    largest = Math.max(largest, await sizeIn(directory));
  }
  output.end('the end\n');
  await finished(output);
  await until('all is written', async () => (await readConsole(inside(directory))).includes('the end'));
  const text = await readConsole(inside(directory));
  assert.ok(text.endsWith(`line 399998\nline 399999\nthe end\n${cut}`));
  assert.equal(text.length, mebibyte + cut.length);
  const lines = text.match(/line \d+/g) ?? [];
  assert.equal(lines.length, 400_000 - Number(lines[1]?.slice(5)) + 1, 'none is missing');
  assert.ok(Math.max(largest, await sizeIn(directory)) <= 2 * mebibyte + 65_536, `${largest}`);
});

/** Starts from a disk that says `x` on its serial console for ever: `mov dx, 0x3f8 · mov al, 'x' · again: out dx, al · jmp again`. */
const chatter = Buffer.concat([Buffer.from('baf803b078eeebfd'.padEnd(1020, '0'), 'hex'), Buffer.from('55aa', 'hex')]);

const specOf = (id: string): Omit<MachineSpec, 'start'> => ({
  ...{ id, hardware: { accelerator: 'tcg', machine: 'q35', emulator: '' }, cores: 1, memoryMiB: 16 },
  ...{ network: '239.192.1.9:20009', ways: [] },
});

/** A machine that was saved while it prints, by the command line of earlier releases: they wrote the console to a file. */
async function savedAsBefore(t: TestContext, memory: string): Promise<void> {
  const directory = await place(t);
  const id = `test-before-${process.pid}~00`;
  await makeDisk(directory);
  const args = emulatorArguments({ ...specOf(id), start: { memory: 3 } });
  const at = args.findIndex((each) => each.startsWith('stdio,'));
  args.splice(at - 1, 4, '-serial', 'file:console.log');
  args.splice(args.indexOf('-incoming'), 2);
  const child = spawn(emulator, args, { cwd: directory, stdio: 'ignore' });
  t.after(() => endEmulator(localHost, id));
  await once(child, 'spawn');
  await until('it prints', async () => (await readConsole(inside(directory))).includes('x'));
  await saveMemory(inside(directory), memory);
}

async function makeDisk(directory: string): Promise<void> {
  const raw = join(directory, 'raw');
  await writeFile(raw, chatter);
  await truncate(raw, mebibyte);
  await must('qemu-img', ['convert', '-q', '-f', 'raw', '-O', 'qcow2', raw, join(directory, 'disk')]);
}

test('I10: a machine that was saved by an earlier release is restored, and may print for ever', async (t) => {
  const directory = await place(t);
  const memory = join(directory, 'memory');
  await savedAsBefore(t, memory);
  await makeDisk(directory);
  const id = `test-console-${process.pid}~01`;
  t.after(() => endEmulator(localHost, id));
  await writeFile(join(directory, 'console.log'), 'y'.repeat(2 * mebibyte - 10_000));
  for (const how of ['restored', 'started anew']) {
    const before = (await readConsole(inside(directory))).match(/x/g)?.length ?? 0;
    await startEmulator(inside(directory), specOf(id), { memory });
    await until(
      'it prints',
      async () => ((await readConsole(inside(directory))).match(/x/g)?.length ?? 0) > before + 20_000,
    );
    await endEmulator(localHost, id);
    assert.deepEqual(await emulatorsOf(localHost, id), []);
    const text = await readConsole(inside(directory));
    assert.match(text, /yx+\n\(not all of it/, how);
    assert.ok((await sizeIn(directory)) < 2 * mebibyte, how);
  }
});

test('I10: what a machine has printed that is restored and does not answer is told, and nothing of it stays', async (t) => {
  const directory = await place(t);
  const places = placesIn(directory);
  const [from, saved] = [join(directory, 'image'), join(places.snapshots, 'chatter')];
  for (const each of [from, saved]) await mkdir(each, { recursive: true });
  await writeFile(join(from, 'client'), 'never asked for');
  await savedAsBefore(t, join(saved, 'memory'));
  await makeDisk(saved);
  const { hardware, cores, memoryMiB } = specOf('');
  const snapshot = {
    ...{ id: 'chatter', image: 'chatter', from, hostKey: '', time: 0, bootMs: 0 },
    hardware,
    cores,
    memoryMiB,
  };
  const said: string[] = [];
  const waiting = { signal: AbortSignal.timeout(600_000), tell: (line: string) => void said.push(line) };
  const build = `test-given-up-${process.pid}`;
  const restoring = restoreMachine({ places, installation: null, ways: [] }, snapshot, {
    build,
    name: 'server',
    waiting,
  });
  const lost = assert.rejects(restoring, EngineUnavailable);
  const idsNow = async () => (await machinesIn(places)).map(({ id }) => id);
  const printed = async (id: string) => (await readConsole(inside(join(places.machines, id)))).length > 2_000;
  await until('it prints', async () => (await Promise.all((await idsNow()).map(printed))).includes(true));
  for (const id of await idsNow()) await endEmulator(localHost, id);
  await lost;
  assert.match(said.join('\n'), /^server is given up; the end of its console:\nx{1000}$/);
  assert.deepEqual(await readdir(places.machines), []);
});
