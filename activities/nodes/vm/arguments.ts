import { type Hardware, processors } from './host.ts';
import { forwardsOf, type Way } from './ways.ts';

/** The program in a machine's directory that carries its connections to what it may speak to. */
export const forwarder = 'forward';

/** The addresses of a machine's two networks, as it boots. */
export const cables = { outer: '52:54:00:00:00:01', inner: '52:54:00:00:00:02' } as const;

/** Between `inner` and the other machines: a hub, so that what is behind it can be another network while it runs. */
const hub = 1;
const innerWire = 'inner-wire';
const innerPlug = 'inner-plug';

/** What an emulator is asked, in order, to have `inner` in another network. */
export function rewiring(network: string): readonly { readonly command: string; readonly args: Wiring }[] {
  return [
    { command: 'netdev_del', args: { id: innerPlug } },
    { command: 'netdev_del', args: { id: innerWire } },
    { command: 'netdev_add', args: { type: 'socket', id: innerWire, mcast: network, localaddr: '127.0.0.1' } },
    { command: 'netdev_add', args: { type: 'hubport', id: innerPlug, hubid: hub, netdev: innerWire } },
  ];
}

type Wiring = Readonly<Record<string, string | number>>;

/** Bytes of the disk that cloud-init reads. */
export const seedSize = 1024 ** 2;

/** How a machine boots: by a kernel of its image, or by what is on its disk, with the file `seed` for cloud-init or none. */
export type Boot = { readonly kernel: string; readonly initrd: string } | { readonly seed: boolean };

/** What a machine is, apart from what is on its disk. */
export interface MachineSpec {
  readonly id: string;
  readonly hardware: Hardware;
  readonly cores: number;
  readonly memoryMiB: number;
  /** Machines with the same one are in one network. */
  readonly network: string;
  readonly ways: readonly Way[];
  /** Whether it boots by what is on its disk, and has another one for cloud-init; absent: it does not. */
  readonly whole?: boolean;
  /** How it begins: it boots, or its memory is read from a file descriptor. */
  readonly start: Boot | { readonly memory: number };
}

/** What machines are called among the host's processes. */
export function processName(id: string): string {
  return `sluice-vm-${id}`;
}

/** The emulator puts a program that it starts into a session of its own, which `deny` kills it for. */
const sandboxes = {
  ways: 'elevateprivileges=allow,spawn=allow',
  none: 'elevateprivileges=deny,spawn=deny',
} as const;

const kernelArguments = [
  ...['root=/dev/vda', 'rw', 'console=ttyS0', 'net.ifnames=0', 'panic=-1', 'quiet', 'random.trust_cpu=on'],
  // What runs in a machine trusts itself, and TCG pays dearly for these.
  ...['mitigations=off', 'nokaslr'],
].join(' ');

/**
 * The emulator's command line. The working directory is the machine's own, so that no path in it needs quoting.
 *
 * The devices are the same for every machine of a specification: a saved memory fits no others. `outer` reaches the
 * ways and nothing else, `inner` the machines of the same network; both are unplugged and plugged from outside. What it
 * prints on its serial console is the emulator's output.
 */
export function emulatorArguments(spec: MachineSpec): string[] {
  const { hardware, start } = spec;
  return [
    ...['-name', processName(spec.id), '-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-sandbox', `on,obsolete=deny,${sandboxes[spec.ways.length > 0 ? 'ways' : 'none']}`],
    ...['-machine', `${hardware.machine},accel=${hardware.accelerator}`],
    ...['-cpu', processors[hardware.accelerator]],
    ...['-smp', String(spec.cores), '-m', String(spec.memoryMiB)],
    ...beginning(start),
    ...['-drive', 'if=none,id=root,file=disk,format=qcow2,cache=unsafe,discard=unmap'],
    ...['-device', 'virtio-blk-pci,drive=root', '-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci'],
    ...port('control'),
    ...port('person'),
    ...['-netdev', ['user', 'id=outer', 'restrict=on', ...forwardsOf(spec.ways, forwarder)].join(',')],
    ...['-device', `virtio-net-pci,netdev=outer,mac=${cables.outer}`],
    ...['-netdev', `hubport,id=inner,hubid=${hub}`],
    ...['-netdev', `socket,id=${innerWire},mcast=${spec.network},localaddr=127.0.0.1`],
    ...['-netdev', `hubport,id=${innerPlug},hubid=${hub},netdev=${innerWire}`],
    ...['-device', `virtio-net-pci,netdev=inner,mac=${cables.inner}`],
    ...(spec.whole ? seedDisk('seed' in start && start.seed) : []),
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-qmp', 'unix:qmp,server=on,wait=off'],
  ];
}

function beginning(start: MachineSpec['start']): string[] {
  if ('memory' in start) return ['-incoming', `fd:${start.memory}`];
  if ('seed' in start) return [];
  return ['-kernel', start.kernel, '-initrd', start.initrd, '-append', kernelArguments];
}

/** Empty but at the first start: what is on it is for no job. */
function seedDisk(there: boolean): string[] {
  const content = there
    ? 'driver=raw,file.driver=file,file.filename=seed'
    : `driver=null-co,size=${seedSize},read-zeroes=on`;
  return ['-drive', `if=none,id=seed,readonly=on,${content}`, '-device', 'virtio-blk-pci,drive=seed'];
}

/** A port by which an sshd is reached without any network; two, for a person does not wait for a program. */
function port(name: string): string[] {
  const socket = `socket,id=${name},path=${name},server=on,wait=off`;
  return ['-chardev', socket, '-device', `virtserialport,chardev=${name},name=${name}`];
}
