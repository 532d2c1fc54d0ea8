import type { Platform } from '../../pipelines/model/platform.ts';
import { type DebianRelease, debianReleases } from './releases.ts';

const arm = process.arch === 'arm64';
const limits = { cpus: 2, memoryMiB: 4096, pids: 4096, diskMiB: 4096 };

/**
 * The platforms that need no configuration: one for each format on each of Debian's releases. The first two are those
 * of the shipped jobs; the images of the others are made when somebody needs them.
 */
export const builtInPlatforms: readonly Platform[] = debianReleases.flatMap((release) => [deb(release), rpm(release)]);

/** How many of the built-in platforms every machine is made ready for: those of the shipped jobs. */
const shipped = 2;

/** The platforms of the shipped jobs. */
export const shippedPlatforms: readonly Platform[] = builtInPlatforms.slice(0, shipped);

function deb({ name, codename }: DebianRelease): Platform {
  return {
    ...{ name, format: 'deb', codename, arch: arm ? 'arm64' : 'amd64' },
    ...imagesOf(name),
    ...{ images: 'bootstrap', buildRequires: 'native', limits },
  };
}

function rpm({ name, dist }: DebianRelease): Platform {
  const own = `rpm-${name}`;
  return {
    ...{ name: own, format: 'rpm', codename: dist, arch: arm ? 'aarch64' : 'x86_64' },
    ...imagesOf(own),
    ...{ images: 'bootstrap', buildRequires: 'debian', limits },
  };
}

function imagesOf(name: string): Pick<Platform, 'buildImage' | 'testImage'> {
  return { buildImage: `sluice/${name}:build`, testImage: `sluice/${name}:minimal` };
}
