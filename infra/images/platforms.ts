import type { Platform } from '../../pipelines/model/platform.ts';

const arm = process.arch === 'arm64';
const limits = { cpus: 2, memoryMiB: 4096, pids: 4096, diskMiB: 4096 };

/** The platforms that need no configuration: one for each format, both made from Debian 12's archive. */
export const builtInPlatforms: readonly Platform[] = [
  {
    name: 'debian-12',
    format: 'deb',
    codename: 'bookworm',
    arch: arm ? 'arm64' : 'amd64',
    buildImage: 'sluice/debian-12:build',
    testImage: 'sluice/debian-12:minimal',
    images: 'bootstrap',
    buildRequires: 'native',
    limits,
  },
  {
    name: 'rpm-debian-12',
    format: 'rpm',
    codename: 'deb12',
    arch: arm ? 'aarch64' : 'x86_64',
    buildImage: 'sluice/rpm-debian-12:build',
    testImage: 'sluice/rpm-debian-12:minimal',
    images: 'bootstrap',
    buildRequires: 'debian',
    limits,
  },
];
