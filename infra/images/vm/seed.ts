import { copyFile, cp, mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cables, seedSize } from '../../../activities/nodes/vm/arguments.ts';
import { must } from '../../../activities/process/run.ts';
import type { AptSettings } from '../apt-settings.ts';

/** What a disk's system is told by cloud-init. */
export interface Seed {
  /** Directory of the programs and scripts that become part of it. */
  readonly programs: string;
  /** Directory of `machine` and `client.pub`: the key that it is known by, and the one that it lets in. */
  readonly keys: string;
  /** Where its packages come from, in the place of its own archives; null: these stay. */
  readonly apt: AptSettings | null;
}

const place = '/run/sluice-seed';

/** Nobody but the key's owner gets in, the system stays as it is, and all else is done by the script on the same disk. */
const userData = {
  users: [],
  ssh_pwauth: false,
  locale: false,
  growpart: { mode: 'off' },
  resize_rootfs: false,
  runcmd: [
    ['mkdir', '-p', place],
    ['mount', '-o', 'ro', 'LABEL=cidata', place],
    ['sh', `${place}/sluice/begin.sh`],
  ],
};

/** While it boots there is an address to be had, so that nothing waits for one; it leads nowhere. */
const networkConfig = {
  version: 2,
  ethernets: {
    eth0: { match: { macaddress: cables.outer }, 'set-name': 'eth0', dhcp4: true },
    eth1: { match: { macaddress: cables.inner }, 'set-name': 'eth1', dhcp4: false, optional: true },
  },
};

/**
 * Makes the disk that cloud-init reads at the first start, by its data source NoCloud.
 *
 * @param work a directory that is there, for what is on it
 * @param id another one for each content: cloud-init does its work once for each
 */
export async function makeSeed(to: string, work: string, { seed, id }: { readonly seed: Seed; readonly id: string }) {
  const own = join(work, 'sluice');
  await mkdir(join(own, 'keys'), { recursive: true, mode: 0o700 });
  await cp(join(seed.programs, 'guest'), join(own, 'guest'), { recursive: true });
  for (const name of ['setup.sh', 'begin.sh']) await copyFile(join(seed.programs, name), join(own, name));
  for (const name of ['machine', 'client.pub']) await copyFile(join(seed.keys, name), join(own, 'keys', name));
  const { sources = [], config = '', preferences = '' } = seed.apt ?? {};
  const texts = { sources: sources.join('\n'), 'apt.conf': config, preferences };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(own, name), text && `${text}\n`);
  // JSON is YAML.
  await writeFile(join(work, 'meta-data'), JSON.stringify({ 'instance-id': id, 'local-hostname': 'sluice' }));
  await writeFile(join(work, 'user-data'), `#cloud-config\n${JSON.stringify(userData)}\n`);
  await writeFile(join(work, 'network-config'), JSON.stringify(networkConfig));
  await must('genisoimage', ['-quiet', '-output', to, '-volid', 'cidata', '-joliet', '-rock', work]);
  await truncate(to, seedSize);
}
