import { judgeKey, type KeyEntry, keyName, keysNamed, readKeyring } from '../keys/keyring.ts';
import { must, run } from '../process/run.ts';
import { RepositoryRefusal } from '../repository/port.ts';
import { environment, type GpgKey } from './key.ts';

/** A key that may sign, by its fingerprint, and what its owner should know. */
export interface ResolvedKey {
  readonly key: GpgKey;
  readonly warnings: readonly string[];
}

export interface ResolveOptions {
  /** Take a key that clients of today refuse, with a warning. */
  readonly weak?: boolean;
  /** Seconds before its end from which a key is warned of; undefined: the default. */
  readonly notice?: number | undefined;
}

/**
 * Finds the one key that a name means: GnuPG itself takes a name for a part of a user id, and the first that fits.
 *
 * @throws RepositoryRefusal when no key or several answer to the name, or the key cannot sign: it names the candidates
 */
export async function resolveKey(named: GpgKey, options: ResolveOptions = {}): Promise<ResolvedKey> {
  const { keys, found } = await secretKeys(named);
  const now = Date.now();
  const usable = found.filter((key) => key.signs && judgeKey(key, now).unusable.length === 0);
  const [key, other] = usable;
  if (key === undefined) throw refusal(named.key, found.length > 0 ? found : keys, now);
  if (other !== undefined) {
    throw new RepositoryRefusal(`several keys are called ${named.key}: give a fingerprint:\n${lines(usable)}`);
  }
  const { weak, warnings } = judgeKey(key, now, options.notice);
  if (weak.length > 0 && options.weak !== true) {
    throw new RepositoryRefusal(
      `${keyName(key)} is refused by clients: ${weak.join('; ')}; --weak-key signs all the same`,
    );
  }
  const said = [...weak, ...warnings].map((text) => `${keyName(key)}: ${text}`);
  return { key: { ...named, key: key.fingerprint }, warnings: said };
}

interface SecretKeys {
  readonly keys: readonly KeyEntry[];
  /** Those that the name means, with what is known of their signatures. */
  readonly found: readonly KeyEntry[];
}

/** Signatures are listed of public keys alone: those of what GnuPG takes the name for are asked for at once. */
async function secretKeys(named: GpgKey): Promise<SecretKeys> {
  const env = environment(named);
  const list = ['--batch', '--with-colons', '--fixed-list-mode'];
  const [secret, taken] = await Promise.all([
    must('gpg', [...list, '--list-secret-keys'], { env }),
    run('gpg', [...list, '--list-sigs', '--', named.key], { env }),
  ]);
  const keys = readKeyring(secret.stdout);
  const found = keysNamed(keys, named.key);
  const prints = found.map(({ fingerprint }) => fingerprint);
  let signed = readKeyring(taken.stdout);
  if (!prints.every((print) => signed.some(({ fingerprint }) => fingerprint === print))) {
    signed = readKeyring((await must('gpg', [...list, '--list-sigs', ...prints], { env })).stdout);
  }
  const sha1 = new Set(signed.filter((key) => key.sha1).map(({ fingerprint }) => fingerprint));
  return { keys, found: found.map((key) => ({ ...key, sha1: sha1.has(key.fingerprint) })) };
}

function refusal(name: string, candidates: readonly KeyEntry[], now: number): RepositoryRefusal {
  if (candidates.length === 0)
    return new RepositoryRefusal(`there is no secret key in the key ring: ${name} cannot sign`);
  const named = keysNamed(candidates, name);
  if (named.length === 0) {
    return new RepositoryRefusal(`no secret key is called ${name}; there are:\n${lines(candidates)}`);
  }
  const why = named.map((key) => {
    const reasons = [...judgeKey(key, now).unusable, ...(key.signs ? [] : ['it has no part here that may sign'])];
    return `  ${keyName(key)}: ${reasons[0]}`;
  });
  return new RepositoryRefusal(`no key called ${name} can sign:\n${why.join('\n')}`);
}

function lines(keys: readonly KeyEntry[]): string {
  return keys.map((key) => `  ${keyName(key)}`).join('\n');
}
