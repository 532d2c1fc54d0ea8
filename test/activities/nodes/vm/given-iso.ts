import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asRoot, runInTerminal } from '../../../../activities/process/in-terminal.ts';
import { must } from '../../../../activities/process/run.ts';
import { readAptSettings } from '../../../../infra/images/apt-settings.ts';
import { cloudDisk } from './cloud-disk.ts';
import { lendGiven, looked, looks } from './lend-given.ts';

// By hand, and no part of `npm test`: a kernel with its drivers is fetched, and a whole system written and booted.
// .tools/node --test test/activities/nodes/vm/given-iso.ts

/** It is told by its answers, as the first program of the kernel that the image has, and finds the system on the image. */
const installer = `#!/bin/sh
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /dev /proc /image
mount -t devtmpfs none /dev || :
mount -t proc none /proc
for module in virtio_pci virtio_blk ahci sr_mod isofs; do modprobe $module; done
until [ -b /dev/sr0 ] && [ -b /dev/vda ]; do sleep 1; done
mount -t iso9660 -o ro /dev/sr0 /image
echo installing
gunzip < /image/disk.gz > /dev/vda
sync
poweroff -f
sleep 60
`;

/** An image with a kernel, an initial file system that has drivers, and the system. */
async function makeIso(root: string): Promise<string> {
  const [tree, iso] = [join(root, 'tree'), join(root, 'iso')];
  const { sources, config } = await readAptSettings('bookworm');
  const asked = config
    .split('\n')
    .filter(Boolean)
    .map((line) => `--aptopt=${line}`);
  const include = '--include=linux-image-amd64,initramfs-tools,kmod';
  const options = ['--variant=apt', '--format=directory', '--dpkgopt=force-unsafe-io', ...asked, include];
  await runInTerminal([...asRoot(), 'mmdebstrap', ...options, 'bookworm', tree, ...sources], () => {});
  await mkdir(iso);
  const boot = await readdir(join(tree, 'boot'));
  for (const [part, name] of [
    ['vmlinuz', 'linux'],
    ['initrd', 'initrd.gz'],
  ] as const) {
    await rename(join(tree, 'boot', boot.find((each) => each.startsWith(part)) ?? part), join(iso, name));
  }
  await must('qemu-img', ['convert', '-O', 'raw', await cloudDisk(), join(root, 'disk')]);
  await must('sh', ['-c', 'gzip -1 < "$0" > "$1"', join(root, 'disk'), join(iso, 'disk.gz')]);
  const path = join(root, 'installer.iso');
  await must('genisoimage', ['-quiet', '-output', path, '-rational-rock', '-volid', 'INSTALLER', iso]);
  return path;
}

test('I10: machines are lent of a disk that an ISO image has installed', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-installer-'));
  t.after(async () => {
    await runInTerminal([...asRoot(), 'rm', '-rf', '--one-file-system', join(root, 'tree')], () => {});
    await rm(root, { recursive: true });
  });
  const answers = join(root, 'answers');
  await mkdir(answers);
  await writeFile(join(answers, 'install.sh'), installer);
  await chmod(join(answers, 'install.sh'), 0o755);
  const boot = { kernel: '/linux', initrd: '/initrd.gz', append: 'rdinit=/install.sh console=ttyS0 quiet panic=-1' };
  const install = { size: 3 * 1024 ** 3, label: 'cidata', memory: 1024 ** 3, timeout: 1_800, answers, boot };
  const { run } = await lendGiven(t, { file: await makeIso(root), install });
  assert.deepEqual((await run(looks)).split('\n'), looked);
});
