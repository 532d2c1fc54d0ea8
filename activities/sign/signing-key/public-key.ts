import { readFile } from 'node:fs/promises';
import { systemReason } from '../../files/system-reason.ts';
import { armor, dearmor } from '../../keys/armor.ts';
import { judgeKey, type KeyVerdict, readKeyring } from '../../keys/keyring.ts';
import { run } from '../../process/run.ts';
import { type KeyPlaces, KeyRefused } from './port.ts';
import type { PublicKey } from './settings.ts';

/**
 * Reads the one key of a file of public keys, armoured or not.
 *
 * @returns the key, armoured, and what clients think of it
 * @throws KeyRefused for a file that holds another key, more, or a secret one: all of it would be shown to clients
 */
export async function readPublicKey(
  { file, fingerprint }: Pick<PublicKey, 'file' | 'fingerprint'>,
  { home, notice }: Pick<KeyPlaces, 'home' | 'notice'>,
): Promise<{ readonly armoured: string; readonly verdict: KeyVerdict }> {
  const packets = await packetsOf(file);
  // What is judged is what is shown: GnuPG alone reads more kinds of armour than we do.
  const args = ['--batch', '--with-colons', '--fixed-list-mode', '--with-sig-list', '--no-armor', '--show-keys'];
  const { code, stdout } = await run('gpg', args, { env: { GNUPGHOME: home }, input: packets });
  const keys = code === 0 && !/^sec:/m.test(stdout) ? readKeyring(stdout) : [];
  const [entry] = keys;
  if (entry === undefined) {
    throw new KeyRefused(`${file} holds no public key: gpg --armor --export ${fingerprint} writes such a file`);
  }
  if (keys.length > 1 || entry.fingerprint !== fingerprint) {
    const there = keys.map((one) => one.fingerprint).join(', ');
    throw new KeyRefused(`${file} must hold the key ${fingerprint} alone; there is ${there}`);
  }
  return { armoured: armor('PUBLIC KEY BLOCK', packets), verdict: judgeKey(entry, Date.now(), notice) };
}

async function packetsOf(file: string): Promise<Buffer> {
  const content = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new KeyRefused(`${file} cannot be read: ${systemReason(error)}`);
  });
  const found = dearmor('PUBLIC KEY BLOCK', content.toString('latin1'));
  return found.length > 0 ? found : content;
}
