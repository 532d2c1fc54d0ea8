import { once } from 'node:events';
import { open, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { configurationFault } from '../../../activities/failure.ts';
import { hardwareHere } from '../../../activities/nodes/vm/accelerator.ts';
import { cables } from '../../../activities/nodes/vm/arguments.ts';
import { emulator, type Hardware, processors } from '../../../activities/nodes/vm/host.ts';
import { connectIn } from '../../../activities/nodes/vm/hosts/local/sockets.ts';
import { type RunResult, run } from '../../../activities/process/run.ts';
import type { Installation } from '../../../pipelines/model/platform.ts';
import { whyNotInstalled } from '../../../pipelines/nodes/installation.ts';
import { makeAnswersCd, readAnswers } from './answers.ts';
import { cpioOf, padded } from './cpio.ts';
import { confined } from './qcow2.ts';

/** What is installed by, and where. */
export interface Installing {
  /** Path of the ISO image. */
  readonly iso: string;
  /** What people know it by. */
  readonly what: string;
  /** An empty directory: the disk comes to be in it as `disk`. */
  readonly work: string;
}

/** Characters that an installer may print. */
const mostPrinted = 64 * 1024 ** 2;

/** Milliseconds until an emulator waits for whom it tells how it ends. */
const listening = 30_000;

/**
 * Has a system installed on an empty disk, by the image's own installer in a machine that has no way out. It ends with
 * this process.
 *
 * @throws a Configuration failure with the end of its console where it does not switch the machine off in time, or has
 *   left nothing that boots
 */
export async function installDisk(
  { iso, what, work }: Installing,
  install: Installation,
  signal: AbortSignal,
): Promise<void> {
  const { size, answers, label, boot, memory, timeout } = install;
  await symlink(iso, join(work, 'iso'));
  const disk = await open(join(work, 'disk'), 'wx', 0o600);
  await disk.truncate(size);
  await disk.close();
  if (answers !== undefined) await makeAnswersCd(join(work, 'answers'), answers, label);
  if (boot !== undefined) await bringKernel({ iso, what, work }, boot, answers);
  const hardware = await hardwareHere();
  const argv = installerArguments(hardware, { memory, answers: answers !== undefined, append: boot?.append });
  const [over, deaf] = [new AbortController(), new AbortController()];
  const ends = run(emulator, argv, {
    ...{ cwd: work, timeout: timeout * 1000, limit: mostPrinted, endsWithUs: true },
    signal: AbortSignal.any([signal, deaf.signal]),
  }).finally(() => over.abort());
  const heard = listen(work, over.signal).catch((error: Error) => {
    deaf.abort(error);
    return '';
  });
  const ended = await ends;
  const reason = whyNotInstalled(endOf(ended, { events: await heard, limit: timeout })) ?? (await whyNotBootable(work));
  if (reason !== null) throw configurationFault(`${what}: ${reason}`);
}

function endOf({ stdout, stderr, timedOut }: RunResult, rest: { readonly events: string; readonly limit: number }) {
  return { ...rest, said: stderr, console: stdout, late: timedOut };
}

/** Machines of these boot by a BIOS. */
async function whyNotBootable(work: string): Promise<string | null> {
  const file = await open(join(work, 'disk'));
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 510);
    return buffer.equals(Buffer.from([0x55, 0xaa])) ? null : 'the installer has left no boot sector on the disk';
  } finally {
    await file.close();
  }
}

interface Devices extends Pick<Installation, 'memory'> {
  readonly answers: boolean;
  /** Absent: the image's own boot loader begins. */
  readonly append: string | undefined;
}

/** The disk is what the machines have later; all paths are in the working directory, so that none needs quoting. */
function installerArguments({ machine, accelerator }: Hardware, { memory, answers, append }: Devices): string[] {
  return [
    ...['-name', 'sluice-install', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-S'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny'],
    ...['-machine', `${machine},accel=${accelerator}`, '-cpu', processors[accelerator]],
    ...['-smp', '2', '-m', String(Math.ceil(memory / 1024 ** 2))],
    ...['-drive', 'if=none,id=root,file=disk,format=raw,cache=unsafe,discard=unmap,werror=report,rerror=report'],
    ...['-device', 'virtio-blk-pci,drive=root', '-device', 'virtio-rng-pci', '-device', 'VGA'],
    ...compactDisc('iso', 0, append === undefined ? ',bootindex=0' : ''),
    ...(answers ? compactDisc('answers', 1, '') : []),
    // There is an address to be had, and nothing behind it.
    ...['-netdev', 'user,id=outer,restrict=on', '-device', `virtio-net-pci,netdev=outer,mac=${cables.outer}`],
    ...(append === undefined ? [] : ['-kernel', 'kernel', '-initrd', 'initrd', '-append', append]),
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-qmp', 'unix:qmp,server=on,wait=off'],
  ];
}

function compactDisc(file: string, bus: number, more: string): string[] {
  const drive = `if=none,id=${file},media=cdrom,readonly=on,format=raw,file=${file}`;
  return ['-drive', drive, '-device', `ide-cd,bus=ide.${bus},drive=${file}${more}`];
}

/** Lets the machine go on, and hears what its emulator says of it until that ends. */
async function listen(work: string, over: AbortSignal): Promise<string> {
  const end = performance.now() + listening;
  for (;;) {
    const socket = await connectIn(work, 'qmp').catch(() => null);
    if (socket === null) {
      if (over.aborted || performance.now() > end) throw new Error('the emulator does not listen');
      await sleep(20);
      continue;
    }
    let heard = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    for (const execute of ['qmp_capabilities', 'cont']) socket.write(`${JSON.stringify({ execute })}\n`);
    if (!socket.destroyed) await once(socket, 'close');
    return heard;
  }
}

/** Takes a kernel out of an image; what the installer is told is in its initial file system as well. */
async function bringKernel(
  installing: Installing,
  { kernel, initrd }: NonNullable<Installation['boot']>,
  answers: string | undefined,
): Promise<void> {
  const { work } = installing;
  await writeFile(join(work, 'kernel'), await fileIn(installing, kernel));
  const first = padded(await fileIn(installing, initrd));
  const told = answers === undefined ? [] : [cpioOf(await readAnswers(answers))];
  await writeFile(join(work, 'initrd'), Buffer.concat([first, ...told]));
}

/** @throws a Configuration failure where there is none */
async function fileIn({ iso, what }: Installing, path: string): Promise<Buffer> {
  const argv = [...confined, 'isoinfo', '-R', '-i', iso, '-x', path];
  const { code, stdout, stderr } = await run('prlimit', argv, { encoding: 'latin1' });
  if (code === 0 && stdout !== '') return Buffer.from(stdout, 'latin1');
  const why = stderr.trim().split('\n').at(-1) ?? '';
  throw configurationFault(`there is no ${path} in the image ${what}${why === '' ? '' : `: ${why}`}`);
}
