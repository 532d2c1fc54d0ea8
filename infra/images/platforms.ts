import { hostArch } from '../../activities/host-arch.ts';
import { debianName, foreignTo, rpmName } from '../../pipelines/model/architecture.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { type DebianRelease, debianReleases } from './releases.ts';

const limits = { cpus: 2, memoryMiB: 4096, pids: 4096, diskMiB: 4096 };

const own: readonly Platform[] = debianReleases.flatMap((release) => [deb(release), rpm(release)]);

/**
 * The platforms that need no configuration: one for each format on each of Debian's releases, then the same for each
 * architecture that this machine is not. The first two are those of the shipped jobs; the images of the others are made
 * when somebody needs them.
 */
export const builtInPlatforms: readonly Platform[] = [
  ...own,
  ...foreignTo(hostArch()).flatMap((arch) => own.map((platform) => foreign(platform, arch))),
];

/** How many of the built-in platforms every machine is made ready for: those of the shipped jobs. */
const shipped = 2;

/** The platforms of the shipped jobs. */
export const shippedPlatforms: readonly Platform[] = builtInPlatforms.slice(0, shipped);

/** Whether programs of a platform are for another architecture than this machine's. */
export function isForeign({ arch }: Pick<Platform, 'arch'>): boolean {
  return debianName(arch) !== hostArch();
}

function deb({ name, codename }: DebianRelease): Platform {
  return {
    ...{ name, format: 'deb', codename, arch: hostArch() },
    ...imagesOf(name),
    ...{ images: 'bootstrap', buildRequires: 'native', limits },
  };
}

function rpm({ name, dist }: DebianRelease): Platform {
  const called = `rpm-${name}`;
  return {
    ...{ name: called, format: 'rpm', codename: dist, arch: rpmName(hostArch()) },
    ...imagesOf(called),
    ...{ images: 'bootstrap', buildRequires: 'debian', limits },
  };
}

function foreign(platform: Platform, arch: string): Platform {
  const name = `${platform.name}-${arch}`;
  const called = platform.format === 'deb' ? arch : rpmName(arch);
  return { ...platform, ...imagesOf(name), name, arch: called, primary: platform.name };
}

function imagesOf(name: string): Pick<Platform, 'buildImage' | 'testImage'> {
  return { buildImage: `sluice/${name}:build`, testImage: `sluice/${name}:minimal` };
}
