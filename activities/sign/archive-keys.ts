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

/** What is wrong with one of the names. */
export interface KeyFault {
  readonly list: keyof NamedKeys;
  /** Its place in the list. */
  readonly index: number;
  readonly message: string;
}

/** Keys are named that cannot be what they are named for. */
export class KeysRefused extends RepositoryRefusal {
  readonly faults: readonly KeyFault[];

  constructor(faults: readonly KeyFault[]) {
    super(faults.map(({ list, message }) => `release.keys.${list}: ${message}`).join('\n'));
    this.faults = faults;
  }
}

/**
 * Opens the keys in the signer's directory. Where none is named there is one, made at the first start.
 *
 * @param home made with mode 0700
 * @throws KeysRefused with every name that no key or several have, every key that is named twice, and those that clients
 * refuse
 */
export async function openArchiveKeys(
  home: string,
  { sign, former }: NamedKeys,
): Promise<{ readonly key: GpgKey & { readonly home: string }; readonly warnings: readonly string[] }> {
  const own = await openKey(home, ownName);
  const resolved = await Promise.all([
    ...(sign.length > 0 ? sign : [own]).map((key, index) => asked('sign', index, () => resolveKey({ home, key }))),
    ...former.map((name, index) => asked('former', index, () => resolveFormer(home, name))),
  ]);
  const found = resolved.filter((one) => 'key' in one);
  const prints = found.map(({ key }) => key.key);
  const twice = found.filter(({ key }, position) => prints.indexOf(key.key) < position);
  const faults = [
    ...resolved.filter((one) => 'message' in one),
    ...twice.map(({ list, index, key }) => ({
      list,
      index,
      message: `names the key ${key.key}, which is named before`,
    })),
  ];
  if (faults.length > 0) throw new KeysRefused(faults);
  const [[first, ...also], old] = (['sign', 'former'] as const).map((list) =>
    found.filter((one) => one.list === list).map(({ key }) => key.key),
  ) as [string[], string[]];
  if (first === undefined) throw new Error('no key was found, and none was missing');
  return { key: { home, key: first, also, former: old }, warnings: found.flatMap(({ warnings }) => warnings) };
}

type Asked = Pick<KeyFault, 'list' | 'index'>;

/** A key, or why the name means none. */
async function asked(
  list: KeyFault['list'],
  index: number,
  resolve: () => Promise<ResolvedKey>,
): Promise<(Asked & ResolvedKey) | KeyFault> {
  try {
    return { list, index, ...(await resolve()) };
  } catch (error) {
    if (!(error instanceof RepositoryRefusal)) throw error;
    return { list, index, message: error.message };
  }
}

/** A key whose secret part may be gone. @throws RepositoryRefusal when no key or several answer to the name */
async function resolveFormer(home: string, name: string): Promise<ResolvedKey> {
  const args = ['--batch', '--with-colons', '--fixed-list-mode', '--list-keys'];
  const keys = readKeyring((await must('gpg', args, { env: environment({ home, key: name }) })).stdout);
  const [found, ...others] = keysNamed(keys, name);
  if (found !== undefined && others.length === 0) return { key: { home, key: found.fingerprint }, warnings: [] };
  const candidates = (found === undefined ? keys : [found, ...others]).map((key) => `\n  ${keyName(key)}`).join('');
  const wrong = found === undefined ? 'no key is' : 'several keys are';
  throw new RepositoryRefusal(`${wrong} called ${name}:${candidates}`);
}
