import { readFile } from 'node:fs/promises';
import { hostArch } from '../../activities/host-arch.ts';
import { debianName, rpmName } from '../../pipelines/model/architecture.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { isForeign } from './platforms.ts';

/** Where the kernel says what it runs foreign programs by. */
export const binfmtDirectory = '/proc/sys/fs/binfmt_misc';

/** What is known to run an architecture's programs. */
export type Emulation = 'runs' | 'absent' | 'outside';

/**
 * Whether the kernel runs programs of an architecture by qemu-user. `outside`: it does, but not in containers, for the
 * emulator is looked for inside of them.
 *
 * @param arch as Debian names it
 */
export async function findEmulation(arch: string, directory = binfmtDirectory): Promise<Emulation> {
  const text = await readFile(`${directory}/qemu-${rpmName(arch)}`, 'utf8').catch(() => '');
  if (!/^enabled$/m.test(text)) return 'absent';
  return /^flags: \S*F/m.test(text) ? 'runs' : 'outside';
}

/** Why containers of a platform do not run on this machine, in one line; null where they do. */
export async function whyNotHere(
  platform: Pick<Platform, 'name' | 'arch'>,
  directory = binfmtDirectory,
): Promise<string | null> {
  // An engine on another machine knows better.
  if (!isForeign(platform) || isRemote(process.env.DOCKER_HOST)) return null;
  const emulation = await findEmulation(debianName(platform.arch), directory);
  return emulation === 'runs' ? null : notHere(platform, emulation);
}

/** The sentence. */
function notHere({ name, arch }: Pick<Platform, 'name' | 'arch'>, emulation: 'absent' | 'outside'): string {
  const why =
    emulation === 'absent'
      ? 'and no qemu-user runs its programs'
      : 'and qemu-user runs its programs outside of containers alone (its binfmt entry has no flag F)';
  return `${name} is for ${debianName(arch)}, this machine is ${hostArch()}, ${why}: ./sluice doctor --mend`;
}

function isRemote(host: string | undefined): boolean {
  return host !== undefined && !host.startsWith('unix://');
}
