import { keyName, readKeyring } from '../keys/keyring.ts';
import { must } from '../process/run.ts';
import { RepositoryRefusal } from '../repository/port.ts';
import { readSecret } from '../review/secret.ts';
import type { SecretReference } from '../review/settings.ts';
import { closeAgents, homesOf, type NamedKeys, openKeyAt, runningAgents } from './archive-keys.ts';
import { findKey } from './key.ts';
import { importedHome } from './signing-key/gnupg/open.ts';
import { KeyAway } from './signing-key/port.ts';
import { proveKey, requireAlike } from './signing-key/prove.ts';
import { type FileKey, type GivenKey, nameOf, secretsOf } from './signing-key/settings.ts';

/** Whether a key of the archive signs now, and for how long it will. */
export interface KeyCheck {
  /** Its fingerprint and user id, or what the configuration calls it. */
  readonly key: string;
  /** `away`: it may sign at another time; `untried`: only the signer's service has a secret that it takes. */
  readonly state: 'signs' | 'away' | 'refused' | 'untried';
  /** RFC 3339 date; null: never, or not known. */
  readonly expires: string | null;
  /** Why it does not sign or was not tried, or what its owner should know of it. */
  readonly message: string;
}

/**
 * Has each key sign a text that means nothing. Makes no key, and leaves running what runs.
 *
 * @param home the signer's directory
 * @returns nothing before the first start, where no key is named
 */
export async function checkKeys(
  home: string,
  { sign, notice }: Omit<NamedKeys, 'former'>,
): Promise<readonly KeyCheck[]> {
  const own = sign.length > 0 ? null : await findKey(home);
  const given = own === null ? sign : [own];
  const running = await runningAgents([home, ...homesOf(given), ...given.flatMap((one) => importedOf(home, one))]);
  const homes = new Set([home]);
  const proofs: string[] = [];
  const checks: KeyCheck[] = [];
  // One after the other: several keys may be on one card.
  for (const one of given) checks.push(await check(one, { home, notice, proofs, used: (place) => homes.add(place) }));
  await closeAgents([...homes], running);
  return checks;
}

/** Where a running signer has a key that is in a file. */
function importedOf(home: string, given: string | GivenKey): readonly string[] {
  return isFile(given) ? [importedHome(home, given.fingerprint)] : [];
}

function isFile(given: string | GivenKey): given is FileKey {
  return typeof given === 'object' && given.kind === 'file';
}

interface Around {
  readonly home: string;
  readonly notice: number | undefined;
  /** What the keys before have signed in clear. */
  readonly proofs: string[];
  /** Is told of each GnuPG directory that was used. */
  used(home: string): void;
}

async function check(given: string | GivenKey, { home, notice, proofs, used }: Around): Promise<KeyCheck> {
  let known: Pick<KeyCheck, 'key' | 'expires'> = { key: nameOf(given), expires: null };
  const elsewhere = secretElsewhere(given);
  // Such a key cannot even be read.
  if (elsewhere !== null && isFile(given)) return { ...known, state: 'untried', message: elsewhere };
  try {
    const { key, warnings, home: place } = await openKeyAt(given, { home, readSecret, notice });
    if (place !== null) used(place);
    known = await describe(home, await key.publicKey());
    if (elsewhere !== null) return { ...known, state: 'untried', message: [elsewhere, ...warnings].join('; ') };
    proofs.push(await proveKey(key));
    requireAlike(key, proofs.at(-1) ?? '', proofs[0] ?? '');
    return { ...known, state: 'signs', message: warnings.join('; ') };
  } catch (error) {
    if (!(error instanceof RepositoryRefusal)) throw error;
    return { ...known, state: error instanceof KeyAway ? 'away' : 'refused', message: error.message };
  }
}

/** Which secret of a key is in the environment or the credentials of another process alone; null: none. */
function secretElsewhere(given: string | GivenKey): string | null {
  const places = typeof given === 'string' ? [] : secretsOf(given).flatMap((secret) => absentPlace(secret) ?? []);
  return places.length === 0 ? null : `it was not tried: ${places.join(' and ')} is the service's alone`;
}

function absentPlace(secret: SecretReference): string | null {
  const { env } = process;
  if ('env' in secret) return env[secret.env] === undefined ? `the variable ${secret.env}` : null;
  if ('credential' in secret) return env.CREDENTIALS_DIRECTORY ? null : `the credential ${secret.credential}`;
  return null;
}

async function describe(home: string, publicKey: string): Promise<Pick<KeyCheck, 'key' | 'expires'>> {
  const args = ['--batch', '--with-colons', '--fixed-list-mode', '--show-keys'];
  const [entry] = readKeyring((await must('gpg', args, { input: publicKey, env: { GNUPGHOME: home } })).stdout);
  if (entry === undefined) throw new RepositoryRefusal('its public key cannot be read');
  const ends = [entry.expires, entry.signsUntil].flatMap((end) => end ?? []);
  const expires = ends.length === 0 ? null : new Date(Math.min(...ends) * 1000).toISOString().slice(0, 10);
  return { key: keyName(entry), expires };
}
