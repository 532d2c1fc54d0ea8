import { judgeKey, type KeyEntry, type KeyVerdict, readKeyring } from '../../keys/keyring.ts';
import { run } from '../../process/run.ts';
import { type KeyPlaces, KeyRefused } from './port.ts';
import type { PublicKey } from './settings.ts';

/**
 * Reads the one key of a file of public keys.
 *
 * @throws KeyRefused for a file that holds another key, or more: they would all be shown to clients
 */
export async function readPublicKey(
  { file, fingerprint }: Pick<PublicKey, 'file' | 'fingerprint'>,
  { home, notice }: Pick<KeyPlaces, 'home' | 'notice'>,
): Promise<{ readonly entry: KeyEntry; readonly verdict: KeyVerdict }> {
  const args = ['--batch', '--with-colons', '--fixed-list-mode', '--with-sig-list', '--show-keys', '--', file];
  const { code, stdout } = await run('gpg', args, { env: { GNUPGHOME: home } });
  const keys = code === 0 ? readKeyring(stdout) : [];
  const [entry] = keys;
  if (entry === undefined) throw new KeyRefused(`${file} cannot be read as a file with a public key`);
  if (keys.length > 1 || entry.fingerprint !== fingerprint) {
    const there = keys.map((one) => one.fingerprint).join(', ');
    throw new KeyRefused(`${file} must hold the key ${fingerprint} alone; there is ${there}`);
  }
  return { entry, verdict: judgeKey(entry, Date.now(), notice) };
}
