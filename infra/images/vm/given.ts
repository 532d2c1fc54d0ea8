import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncTree } from '../../../activities/files/sync.ts';
import { moveWhole } from '../../../activities/files/write.ts';
import { readSecret } from '../../../activities/review/secret.ts';
import type { DiskImage } from '../../../pipelines/model/platform.ts';
import { type AptSettings, readAptSettings } from '../apt-settings.ts';
import { debianReleases } from '../releases.ts';
import { ensureDisk, type MakingRun, nameOfDisk } from './disks.ts';
import { makeKeys, programs, programTexts } from './parts.ts';
import { makeSeed } from './seed.ts';

/** A disk of somebody else's, and the release that is on it. */
export interface Given {
  readonly image: DiskImage;
  readonly codename: string;
}

/**
 * Makes the image of a disk that was given unless it is there: the disk, the keys by which the machine and its owner
 * know each other, and what cloud-init makes it a machine by, where it is none already.
 *
 * @param directory of all images; disks are kept beside it
 * @returns the image's own directory, which is another one for another disk
 * @throws a Configuration failure where the disk is not to be had, or is none
 */
export async function ensureGivenImage(directory: string, given: Given, run: MakingRun): Promise<string> {
  const disk = await ensureDisk(disksBeside(directory), given.image, run);
  const image = await givenImageNow(directory, given);
  if (existsSync(image)) return image;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const made = await mkdtemp(join(directory, '.new-'));
  try {
    await link(disk, join(made, 'disk'));
    await writeKeys(made, given);
    await syncTree(made);
    // Another process may have made the same meanwhile.
    if (!existsSync(image)) await moveWhole(made, image);
    return image;
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** The directory of the image as it would be made now, whether or not it is there. @throws as `ensureGivenImage` */
export async function givenImageNow(directory: string, { image, codename }: Given): Promise<string> {
  const { key, hostKey } = image;
  const how =
    key === undefined
      ? [await aptOf(codename), await programTexts(['setup.sh', 'begin.sh', 'seed.ts'])]
      : [hostKey, await readSecret(key)];
  const parts = JSON.stringify([await nameOfDisk(image), ...how]);
  return join(directory, createHash('sha256').update(parts).digest('hex').slice(0, 32));
}

export function disksBeside(directory: string): string {
  return join(directory, '..', 'disks');
}

async function writeKeys(directory: string, { image, codename }: Given): Promise<void> {
  const { key, hostKey } = image;
  if (key !== undefined) {
    await writeFile(join(directory, 'client'), `${await readSecret(key)}\n`, { mode: 0o600 });
    await writeFile(join(directory, 'machine.pub'), `${hostKey}\n`);
    return;
  }
  await makeKeys(directory);
  const work = join(directory, 'work');
  await mkdir(work);
  const seed = { programs, keys: directory, apt: await aptOf(codename) };
  await makeSeed(join(directory, 'seed'), work, { seed, id: directory });
  await rm(work, { recursive: true });
}

/** Where a system of Debian gets its packages, as this host does; another one keeps what it has. */
async function aptOf(codename: string): Promise<AptSettings | null> {
  const known = debianReleases.some((release) => release.codename === codename);
  return known ? readAptSettings(codename) : null;
}
