import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { asRoot, runInTerminal } from '../../../../activities/process/in-terminal.ts';
import { withLock } from '../../../../activities/process/lock.ts';
import { must } from '../../../../activities/process/run.ts';
import { checkout } from '../../../../infra/bootstrap/find.ts';
import { type AptSettings, readAptSettings } from '../../../../infra/images/apt-settings.ts';
import { machineScripts, type System } from '../../../../infra/images/recipes.ts';
import { runInside } from '../../../../infra/images/vm/image.ts';

const debian: System = { format: 'deb', codename: 'bookworm' };
const directory = join(checkout, '.tools', 'vm', 'cloud');
const sector = 512;
/** Sectors before the file system, where the boot loader is, and of the whole disk. */
const gap = 2048;
const size = (3 * 1024 ** 3) / sector;

const packages = [
  ...['linux-image-cloud-amd64', 'initramfs-tools', 'systemd-sysv', 'udev', 'kmod', 'iproute2'],
  ...['openssh-server', 'cloud-init', 'netplan.io', 'grub-pc-bin', 'grub-common'],
];

const menu = `set root=(hd0,msdos1)
linux /vmlinuz root=/dev/vda1 ro console=ttyS0 mitigations=off nokaslr quiet
initrd /initrd.img
boot
`;

const usual = [
  'chroot "$1" grub-mkimage -O i386-pc -p "(hd0,msdos1)/boot/grub" -o /boot/core.img biosdisk part_msdos ext2 linux normal',
  'cp "$1/usr/lib/grub/i386-pc/boot.img" "$1/boot/boot.img"',
  `mkdir -p "$1/boot/grub"; printf '${menu.replaceAll('\n', '\\n')}' > "$1/boot/grub/grub.cfg"`,
  `printf '/dev/vda1 / ext4 noatime 0 1\\n' > "$1/etc/fstab"`,
];

/** Seconds to wait for who makes it meanwhile, on a machine that others keep busy. */
const patience = 1_000;

/**
 * A disk as clouds give them: with a partition, a boot loader, cloud-init and a network of systemd's, and nothing of
 * Sluice's. It is made once; `npm test` begins that before anybody waits for it.
 *
 * @param system whose packages it has
 * @returns the qcow2 file
 */
export async function cloudDisk(system: System = debian): Promise<string> {
  const settings = await readAptSettings('bookworm');
  const hooks = [...machineScripts(system).map(runInside), ...usual];
  const text = JSON.stringify([settings, packages, hooks, gap, size]);
  const path = join(directory, `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.qcow2`);
  await mkdir(directory, { recursive: true });
  return withLock(join(directory, 'lock'), patience, async () => {
    if (!existsSync(path)) await make(path, hooks, settings);
    return path;
  });
}

async function make(path: string, hooks: readonly string[], { sources, config }: AptSettings): Promise<void> {
  const work = await mkdtemp(join(directory, '.new-'));
  const [root, disk] = [join(work, 'root'), join(work, 'disk')];
  const asked = config
    .split('\n')
    .filter(Boolean)
    .map((line) => `--aptopt=${line}`);
  try {
    await byRoot(
      'mmdebstrap',
      ...['--variant=apt', '--format=directory', '--dpkgopt=force-unsafe-io'],
      ...asked,
      ...[
        `--include=${packages.join(',')}`,
        ...hooks.map((hook) => `--customize-hook=${hook}`),
        ...['bookworm', root, ...sources],
      ],
    );
    const file = await open(disk, 'wx');
    await file.truncate(size * sector);
    const whole = `offset=${gap * sector},lazy_itable_init=0,lazy_journal_init=0`;
    await byRoot(
      'mkfs.ext4',
      '-q',
      '-F',
      '-m',
      '0',
      '-E',
      whole,
      '-d',
      root,
      disk,
      `${((size - gap) * sector) / 1024}k`,
    );
    await file.write(
      bootSectors(await readFile(join(root, 'boot/boot.img')), await readFile(join(root, 'boot/core.img'))),
      0,
    );
    await file.close();
    await must('qemu-img', ['convert', '-O', 'qcow2', disk, join(work, 'qcow2')]);
    await rename(join(work, 'qcow2'), path);
  } finally {
    await byRoot('rm', '-rf', '--one-file-system', work);
  }
}

/** A boot loader and a table with one partition, in front of it. */
function bootSectors(first: Buffer, rest: Buffer): Buffer {
  const table = Buffer.alloc(sector - 440);
  table.set([0x80, 0, 2, 0, 0x83, 0xfe, 0xff, 0xff], 6);
  table.writeUInt32LE(gap, 14);
  table.writeUInt32LE(size - gap, 18);
  table.writeUInt16BE(0x55aa, 70);
  return Buffer.concat([first.subarray(0, 440), table, rest]);
}

function byRoot(...command: string[]): Promise<void> {
  return runInTerminal([...asRoot(), ...command], () => {});
}

if (import.meta.main) await cloudDisk();
