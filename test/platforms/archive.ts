import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { must } from '../../activities/process/run.ts';
import { repositoryFormats } from '../../activities/repository/formats.ts';
import type { ExtraText } from '../../activities/repository/port.ts';
import { describePackages, publishPackages } from '../../activities/repository/publish.ts';
import { createGpgSigner } from '../../activities/sign/gpg.ts';
import { closeAgent } from '../../activities/sign/key.ts';
import { resolveKey } from '../../activities/sign/resolve-key.ts';
import { ensureImages } from '../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../infra/images/platforms.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { clientFile } from '../../server/files/client-files.ts';
import { stageWorld } from '../activities/install/stage.ts';
import { makePackage, type Sample } from '../activities/repository/packages.ts';

const named = process.env.SLUICE_PLATFORMS?.split(',');

/** Those that the environment names, separated by commas; all without it. */
export const platforms = builtInPlatforms.filter(({ name, primary }) => named?.includes(name) ?? primary === undefined);

/** Milliseconds for one command of a client. */
export const patience = 600_000;

/** Has the image there that packages of a platform are tried on: that for building is not needed. */
export async function needImages(platform: Platform): Promise<void> {
  await ensureImages([{ ...platform, buildImage: platform.testImage }], () => {});
}

/**
 * A signed repository that the platform's client reaches, and its keys.
 *
 * @param debug whether debug packages have lists of their own
 */
export async function openArchive(t: TestContext, { name, format }: Platform, debug = false) {
  const world = await stageWorld(t);
  const home = join(world.directory, 'keys');
  await must('mkdir', ['-m', '700', home]);
  t.after(() => closeAgent(home));
  const [signer, other] = [await makeKey(home, 'ours@example.org'), await makeKey(home, 'other@example.org')];
  const dir = join(world.root, name);
  const codename = format === 'deb' ? 'stable' : '';
  const url = await world.trees.url(name);
  const files = { root: world.root, address: url.replace(`/${name}/`, ''), idOf: () => 'ours' };
  return {
    ...{ codename, url, dir, directory: world.directory },
    key: () => signer.publicKey(),
    other: () => other.publicKey(),
    async publish(...samples: readonly Sample[]) {
      const made = await Promise.all(samples.map((sample) => makePackage(format, world.directory, sample)));
      const settings = { codename, debug };
      await publishPackages(repositoryFormats[format], { dir, files: made, settings, date: new Date(), signer });
    },
    describe: (...given: readonly ExtraText[]) =>
      describePackages(repositoryFormats[format], { dir, extras: { given, remove: [] }, date: new Date(), signer }),
    /** What the server offers clients to put among their own sources. */
    offered: (file: string) => clientFile(files, `${name}${file}`),
  };
}

async function makeKey(home: string, uid: string) {
  const settings = ['--batch', '--yes', '--quiet', '--passphrase', ''];
  await must('gpg', [...settings, '--quick-generate-key', uid, 'rsa3072', 'sign', 'never'], {
    env: { GNUPGHOME: home },
  });
  return createGpgSigner((await resolveKey({ home, key: uid })).key);
}
