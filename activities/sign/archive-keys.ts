import { keyName, keysNamed, readKeyring } from '../keys/keyring.ts';
import { must } from '../process/run.ts';
import { RepositoryRefusal } from '../repository/port.ts';
import { environment, type GpgKey, openKey } from './key.ts';
import { type ResolvedKey, resolveKey } from './resolve-key.ts';

/** The archive's keys as `sluice.yaml` names them: fingerprints, user ids or mail addresses. */
export interface NamedKeys {
  /** The first signs packages, statements and indexes, the others indexes alone. */
  readonly sign: readonly string[];
  /** Sign nothing any more; clients go on to believe what they signed. */
  readonly former: readonly string[];
}

/** What the key is called that is made where the configuration names none. */
const ownName = 'Sluice releases';

/**
 * Opens the keys in the signer's directory. Where none is named there is one, made at the first start.
 *
 * @param home made with mode 0700
 * @throws RepositoryRefusal for a name that no key or several have, a key that is named twice, and one that clients
 * refuse
 */
export async function openArchiveKeys(
  home: string,
  { sign, former }: NamedKeys,
): Promise<{ readonly key: GpgKey & { readonly home: string }; readonly warnings: readonly string[] }> {
  const own = await openKey(home, ownName);
  const found = await Promise.all((sign.length > 0 ? sign : [own]).map((key) => resolveSigning(home, key)));
  const [first, ...also] = found.map(({ key }) => key.key);
  if (first === undefined) throw new Error('no key was found, and none was missing');
  const old = await Promise.all(former.map((name) => resolveFormer(home, name)));
  const all = [first, ...also, ...old];
  const twice = all.find((one, index) => all.indexOf(one) < index);
  if (twice !== undefined) throw new RepositoryRefusal(`release.keys names the key ${twice} twice`);
  return { key: { home, key: first, also, former: old }, warnings: found.flatMap(({ warnings }) => warnings) };
}

async function resolveSigning(home: string, key: string): Promise<ResolvedKey> {
  try {
    return await resolveKey({ home, key });
  } catch (error) {
    if (!(error instanceof RepositoryRefusal)) throw error;
    throw new RepositoryRefusal(`release.keys.sign: ${error.message}`);
  }
}

/** A key whose secret part may be gone. */
async function resolveFormer(home: string, name: string): Promise<string> {
  const args = ['--batch', '--with-colons', '--fixed-list-mode', '--list-keys'];
  const keys = readKeyring((await must('gpg', args, { env: environment({ home, key: name }) })).stdout);
  const [found, ...others] = keysNamed(keys, name);
  if (found !== undefined && others.length === 0) return found.fingerprint;
  const candidates = (found === undefined ? keys : [found, ...others]).map((key) => `\n  ${keyName(key)}`).join('');
  const wrong = found === undefined ? 'no key is' : 'several keys are';
  throw new RepositoryRefusal(`release.keys.former: ${wrong} called ${name}:${candidates}`);
}
