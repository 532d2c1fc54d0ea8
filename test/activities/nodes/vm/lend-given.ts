import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { hardwareHere } from '../../../../activities/nodes/vm/accelerator.ts';
import { prepareSnapshot } from '../../../../activities/nodes/vm/prepare.ts';
import { createVmProvider } from '../../../../activities/nodes/vm/provider.ts';
import { placesIn } from '../../../../activities/nodes/vm/records.ts';
import { preparationOf } from '../../../../activities/nodes/vm/stale.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { System } from '../../../../infra/images/recipes.ts';
import { vmImages } from '../../../../infra/images/vm/images.ts';
import type { DiskImage, Platform } from '../../../../pipelines/model/platform.ts';

/** Milliseconds until it has booted, where its processor is emulated on a machine that others keep busy. */
const patience = 2_400_000;

/** Prepares the machines of a platform that names a disk, and lends one. @param system what is on it; absent: Debian */
export async function lendGiven(t: TestContext, disk: Omit<DiskImage, 'maxSize'>, system: Partial<System> = {}) {
  const root = await mkdtemp(join(tmpdir(), 'sluice-given-'));
  const build = `test-given-${process.pid}`;
  const places = placesIn(root);
  const provider = createVmProvider({ places, installation: null, ways: async () => [] });
  t.after(async () => {
    await provider.sweep(build);
    await rm(root, { recursive: true });
  });
  const limits = { cpus: 1, memoryMiB: 384, pids: 1, diskMiB: 1 };
  const image = { ...disk, maxSize: 4 * 1024 ** 3 };
  const own = { name: 'given', provider: 'vm', image, limits, buildImage: 'given', testImage: 'given' } as const;
  const platform: Platform = { ...(builtInPlatforms[0] as Platform), ...own, ...system };
  const signal = AbortSignal.timeout(3_000_000);
  const from = await vmImages(root, [platform]).ensureImage(platform, { signal, tell: (line) => t.diagnostic(line) });
  const preparation = preparationOf(platform, { from }, await hardwareHere());
  const snapshot = await prepareSnapshot({ places, installation: null, ways: [] }, preparation, { signal, patience });
  t.diagnostic(`its boot took ${(snapshot.bootMs / 1000).toFixed(1)} s`);
  const lease = await provider.lend({ build });
  const machine = await lease.machine({ name: 'node', platform, kind: 'system', network: 'none' });
  const run = async (script: string) => {
    const { code, output } = await machine.exec(['sh', '-euc', script], { signal });
    if (code !== 0) throw new Error(`${script} ended with ${code}: ${output}`);
    return output.trim();
  };
  return { from, machine, run, disk: join(places.snapshots, snapshot.id, 'disk') };
}

/** Says what a machine has become: its name, cables, addresses, disk, and what is switched off. */
export const looks = `hostname
ls /sys/class/net | tr '\\n' ' '; echo
ip -brief address show scope global | wc -l
grep -o root=/dev/vda1 /proc/cmdline
systemctl is-system-running
grep -q . /etc/apt/sources.list && echo archives
tr -d '\\0' < /dev/vdb | wc -c
systemctl is-active systemd-networkd apt-daily.timer ssh || true`;

export const looked = [
  // Both addresses are the lender's.
  ...['node', 'eth0 eth1 lo ', '2', 'root=/dev/vda1', 'running', 'archives', '0'],
  ...['inactive', 'inactive', 'inactive'],
];
