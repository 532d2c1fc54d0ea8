import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemReason } from '../../../files/system-reason.ts';
import { run } from '../../../process/run.ts';
import { openPrivateDirectory } from '../../../secrets/keys.ts';
import { environment } from '../../key.ts';
import { resolveKey } from '../../resolve-key.ts';
import { type KeyPlaces, KeyRefused, type OpenedKey } from '../port.ts';
import { openRefusedPin } from '../refused-pin.ts';
import type { CardKey, DirectoryKey, FileKey, HomeKey } from '../settings.ts';
import type { GnupgKey } from './key.ts';
import { createGnupgKey } from './sign.ts';

/**
 * Finds a key in a GnuPG directory.
 *
 * @throws RepositoryRefusal when it is not there, or clients refuse it
 */
export async function openGnupgKey(
  given: DirectoryKey | HomeKey | CardKey | FileKey,
  places: KeyPlaces,
): Promise<OpenedKey> {
  const found = await keyOf(given, places);
  const { key, warnings } = await resolveKey(found, { notice: places.notice });
  return { key: createGnupgKey({ ...found, ...key }), fingerprint: key.key, warnings, home: key.home ?? '' };
}

async function keyOf(given: Parameters<typeof openGnupgKey>[0], places: KeyPlaces): Promise<GnupgKey> {
  if (given.kind === 'directory') return { home: places.home, key: given.key };
  const { fingerprint: key } = given;
  if (given.kind === 'file') {
    const home = await importKey(given, places);
    return { home, key, timeout: 60_000, ...secretOf(given.passphrase, places) };
  }
  const { home } = given;
  const timeout = given.timeout * 1000;
  const found = await stat(home).catch((error: NodeJS.ErrnoException) => {
    throw new KeyRefused(`the GnuPG directory ${home} cannot be read: ${systemReason(error)}`);
  });
  if (!found.isDirectory()) throw new KeyRefused(`${home} is no GnuPG directory`);
  if (given.kind === 'gnupg') return { home, key, timeout, ...secretOf(given.passphrase, places) };
  const card = openRefusedPin(join(places.home, 'refused-pins', key));
  return { home, key, timeout, card, ...secretOf(given.pin, places) };
}

function secretOf(reference: HomeKey['passphrase'], { readSecret }: KeyPlaces): Pick<GnupgKey, 'secret'> {
  return reference === undefined ? {} : { secret: () => readSecret(reference) };
}

/** Puts a private key where GnuPG takes it from, in a directory of its own, as it is now. */
async function importKey({ key, fingerprint }: FileKey, { home, readSecret }: KeyPlaces): Promise<string> {
  const directory = importedHome(home, fingerprint);
  const armoured = await readSecret(key).catch((error: Error) => {
    throw new KeyRefused(error.message);
  });
  await openPrivateDirectory(join(home, 'imported'));
  await openPrivateDirectory(directory);
  // What GnuPG would say of a text that is no key may repeat it.
  const env = environment({ home: directory, key: fingerprint });
  const { code } = await run('gpg', ['--batch', '--quiet', '--import'], { env, input: `${armoured}\n` });
  if (code !== 0) throw new KeyRefused(`what \`key\` names is no armoured private key of ${fingerprint}`);
  return directory;
}

/** The GnuPG directory, below the signer's own, of a private key that is in a file. */
export function importedHome(home: string, fingerprint: string): string {
  return join(home, 'imported', fingerprint);
}

/** Whether an agent of this directory runs already: then it is somebody else's, and knows what they have told it. */
export async function hasAgent(home: string): Promise<boolean> {
  const asked = ['--no-autostart', 'GETINFO pid', '/bye'];
  const { stdout } = await run('gpg-connect-agent', asked, { env: { GNUPGHOME: home } });
  return /^OK/m.test(stdout);
}
