import { randomUUID } from 'node:crypto';
import { bootSector } from './boot-sector.ts';
import { type Accelerator, emulator, type Hardware, hardwareOf, processors } from './host.ts';
import { localHost } from './hosts/local/host.ts';
import type { Host } from './hosts/port.ts';

/** Milliseconds in which the probe's machine must have ended: it runs some fifty instructions. */
const patience = 10_000;

/** What an emulator says when the kernel cannot go on with a machine, which then stands still. */
const given = /KVM internal error/;

/** What the device makes of 42. */
const answer = 85;

/**
 * KVM where a machine runs by it, else TCG. A device node says nothing: where virtual machines may not be nested, KVM
 * can be opened and its machines hang, at once or where Linux writes to what is, or was, a table of its pages.
 */
export async function chooseAccelerator(probe: (accelerator: Accelerator) => Promise<boolean>): Promise<Accelerator> {
  return (await probe('kvm')) ? 'kvm' : 'tcg';
}

/** Whether a machine runs by it: tried with the smallest program there is, on a processor as all machines have it. */
export async function works(host: Host, accelerator: Accelerator, timeout = patience): Promise<boolean> {
  const disk = `/tmp/sluice-probe-${randomUUID()}`;
  try {
    await host.files.write(disk, bootSector);
    const drive = `if=ide,format=raw,snapshot=on,file=${disk}`;
    const { code } = await host.run(
      emulator,
      [
        ...['-machine', `pc,accel=${accelerator}`, '-cpu', processors[accelerator], '-m', '16'],
        ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
        ...['-drive', drive, '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'],
      ],
      { timeout, fatal: given },
    );
    return code === answer;
  } finally {
    await host.files.remove(disk);
  }
}

const chosen = new WeakMap<Host, Promise<Accelerator>>();

/** What machines are made of on a host now. The probe is run once by each process, for its answer does not change. */
export async function hardwareHere(host: Host = localHost): Promise<Hardware> {
  const choice = chosen.get(host) ?? chooseAccelerator((accelerator) => works(host, accelerator));
  chosen.set(host, choice);
  choice.catch(() => chosen.delete(host));
  return hardwareOf(host, await choice);
}
