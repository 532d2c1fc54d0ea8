import { joinArmored } from '../keys/armor.ts';
import { keyName, keysNamed, readKeyring } from '../keys/keyring.ts';
import { must } from '../process/run.ts';
import { RepositoryRefusal } from '../repository/port.ts';
import { readSecret } from '../review/secret.ts';
import { openPrivateDirectory } from '../secrets/keys.ts';
import { closeAgent, environment, exportPublicKey, openKey } from './key.ts';
import { hasAgent, openGnupgKey } from './signing-key/gnupg/open.ts';
import { KeyAway, type KeyPlaces, type OpenedKey, type SigningKey } from './signing-key/port.ts';
import { openProgramKey } from './signing-key/program/open.ts';
import { proveKey, requireAlike } from './signing-key/prove.ts';
import { readPublicKey } from './signing-key/public-key.ts';
import { type DirectoryKey, type GivenKey, nameOf, type PublicKey } from './signing-key/settings.ts';

/** The archive's keys as `sluice.yaml` gives them; a text names one in the signer's own directory. */
export interface NamedKeys {
  /** The first signs packages, statements and indexes, the others indexes alone. */
  readonly sign: readonly (string | GivenKey)[];
  /** Sign nothing any more; clients go on to believe what they signed. */
  readonly former: readonly (string | DirectoryKey | PublicKey)[];
  /** Seconds before its end from which a key is warned of. Default: 30 days. */
  readonly notice?: number;
}

/** Keys that sign together, and whom clients believe. */
export interface SigningKeys {
  readonly sign: readonly [SigningKey, ...SigningKey[]];
  /** Fingerprints of all of which clients are to have the public half. */
  readonly shown: readonly string[];
  /** These halves, armoured as one. */
  publicKey(): Promise<string>;
}

/** Keys that were found, and that clients take. */
export interface ArchiveKeys extends SigningKeys {
  /** The signer's own directory. */
  readonly home: string;
  /**
   * Some of those that sign, in this order, and all former ones.
   *
   * @param names as the configuration calls them
   * @throws for none, and for a name that no key has
   */
  among(names: readonly string[]): SigningKeys;
  /** Ends the agents that were started for them. */
  close(): Promise<void>;
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
 * Opens the archive's keys. Where none is named there is one in the signer's directory, made at the first start.
 *
 * @param home the signer's directory, made with mode 0700
 * @throws KeysRefused with every name that no key or several have, every key that is named twice, and those that clients
 * refuse
 */
export async function openArchiveKeys(
  home: string,
  { sign, former, notice }: NamedKeys,
): Promise<{ readonly keys: ArchiveKeys; readonly warnings: readonly string[] }> {
  const places = { home, readSecret, notice };
  // Where none of them is in its own directory the signer makes none.
  const elsewhere = sign.length > 0 && sign.every((given) => typeof given === 'object' && given.kind !== 'directory');
  await openPrivateDirectory(home);
  const own = elsewhere ? [] : [await openKey(home, ownName)];
  const running = await runningAgents(homesOf(sign));
  const resolved = await Promise.all([
    ...(sign.length > 0 ? sign : own).map((given, index) => asked('sign', index, () => open(given, places))),
    ...former.map((given, index) => asked('former', index, () => openFormer(home, given))),
  ]);
  const found = resolved.filter((one) => 'fingerprint' in one);
  const close = () => closeAgents([home, ...found.flatMap((one) => one.home ?? [])], running);
  const faults = [...resolved.filter((one) => 'message' in one), ...namedTwice(found)];
  if (faults.length > 0) {
    await close();
    throw new KeysRefused(faults);
  }
  const warnings = found.flatMap((one) => one.warnings);
  const called = sign.map(nameOf);
  const among = (names: readonly string[]) => together(chosen(found, called, names));
  return { keys: { home, ...together(found), among, close }, warnings };
}

/** Keys of `sign` by what they are called there, then all former ones. */
function chosen(found: readonly (Asked & Shown)[], called: readonly string[], names: readonly string[]) {
  const some = names.map((name) => {
    const one = found.find(({ list, index }) => list === 'sign' && called[index] === name);
    if (one === undefined) throw new Error(`no key of \`release.keys.sign\` is called ${name}`);
    return one;
  });
  return [...some, ...found.filter(({ list }) => list === 'former')];
}

function together(found: readonly Shown[]): SigningKeys {
  const [first, ...also] = found.flatMap(({ key }) => key ?? []);
  if (first === undefined) throw new Error('no key signs');
  return {
    sign: [first, ...also],
    shown: found.map(({ fingerprint }) => fingerprint),
    publicKey: async () => joinArmored('PUBLIC KEY BLOCK', await Promise.all(found.map((one) => one.publicKey()))),
  };
}

/**
 * Has each key sign a text that means nothing: what cannot sign, or not together with the first key, is found before
 * there is something to sign.
 *
 * @returns what is said of keys that are away now
 * @throws KeysRefused for those that no other try helps
 */
export async function proveKeys({ sign, close }: ArchiveKeys): Promise<readonly string[]> {
  const first = proveKey(sign[0]);
  const ends = await Promise.allSettled([first, ...sign.slice(1).map((key) => proveBeside(first, key))]);
  const failed = ends.flatMap((end, index) => (end.status === 'rejected' ? [{ index, error: end.reason }] : []));
  const away = failed.flatMap(({ error }) => (error instanceof KeyAway ? [error.message] : []));
  const faults = failed.filter(({ error }) => !(error instanceof KeyAway));
  if (faults.length === 0) return away;
  await close();
  const unknown = faults.find(({ error }) => !(error instanceof RepositoryRefusal));
  if (unknown !== undefined) throw unknown.error;
  throw new KeysRefused(faults.map(({ index, error }) => ({ list: 'sign', index, message: error.message })));
}

/** The same for a key that signs texts together with the first. */
async function proveBeside(first: Promise<string>, key: SigningKey): Promise<void> {
  const clear = await proveKey(key);
  requireAlike(key, clear, await first.catch(() => clear));
}

/** A key that clients are shown. */
interface Shown extends Pick<OpenedKey, 'fingerprint' | 'warnings' | 'home'> {
  /** Null: it signs nothing. */
  readonly key: SigningKey | null;
  publicKey(): Promise<string>;
}

async function open(given: string | GivenKey, places: KeyPlaces): Promise<Shown> {
  const opened = await openKeyAt(given, places);
  return { ...opened, publicKey: opened.key.publicKey };
}

/** Finds a key where it is. @throws RepositoryRefusal when it is not there, or clients refuse it */
export function openKeyAt(given: string | GivenKey, places: KeyPlaces): Promise<OpenedKey> {
  const at = typeof given === 'string' ? ({ kind: 'directory', key: given } as const) : given;
  return at.kind === 'program' ? openProgramKey(at, places) : openGnupgKey(at, places);
}

/** A key whose secret part may be gone. @throws RepositoryRefusal when no key or several answer to the name */
async function openFormer(home: string, given: NamedKeys['former'][number]): Promise<Shown> {
  const nothing = { key: null, warnings: [], home: null };
  if (typeof given === 'object' && given.kind === 'public') {
    const { file, fingerprint } = given;
    const { armoured } = await readPublicKey({ file, fingerprint }, { home });
    return { ...nothing, fingerprint, publicKey: () => Promise.resolve(armoured) };
  }
  const key = await findFormer(home, typeof given === 'string' ? given : given.key);
  return { ...nothing, fingerprint: key, publicKey: () => exportPublicKey({ home, key }) };
}

async function findFormer(home: string, name: string): Promise<string> {
  const args = ['--batch', '--with-colons', '--fixed-list-mode', '--list-keys'];
  const keys = readKeyring((await must('gpg', args, { env: environment({ home, key: name }) })).stdout);
  const [found, ...others] = keysNamed(keys, name);
  if (found !== undefined && others.length === 0) return found.fingerprint;
  const candidates = (found === undefined ? keys : [found, ...others]).map((key) => `\n  ${keyName(key)}`).join('');
  const wrong = found === undefined ? 'no key is' : 'several keys are';
  throw new RepositoryRefusal(`${wrong} called ${name}:${candidates}`);
}

type Asked = Pick<KeyFault, 'list' | 'index'>;

/** A key, or why none is meant. */
async function asked(
  list: KeyFault['list'],
  index: number,
  resolve: () => Promise<Shown>,
): Promise<(Asked & Shown) | KeyFault> {
  try {
    return { list, index, ...(await resolve()) };
  } catch (error) {
    if (!(error instanceof RepositoryRefusal)) throw error;
    return { list, index, message: error.message };
  }
}

function namedTwice(found: readonly (Asked & Shown)[]): readonly KeyFault[] {
  const prints = found.map(({ fingerprint }) => fingerprint);
  return found
    .filter(({ fingerprint }, position) => prints.indexOf(fingerprint) < position)
    .map(({ list, index, fingerprint: key }) => ({
      list,
      index,
      message: `names the key ${key}, which is named before`,
    }));
}

/** The GnuPG directories elsewhere that keys are in. */
export function homesOf(sign: NamedKeys['sign']): readonly string[] {
  return sign.flatMap((given) => (typeof given === 'object' && 'home' in given ? given.home : []));
}

/** Those of some GnuPG directories whose agent somebody else has started: it may know what they have told it. */
export async function runningAgents(homes: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(homes.map(async (home) => ((await hasAgent(home)) ? home : [])));
  return found.flat();
}

/** Ends the agents of some GnuPG directories, but for those that were `running` before. */
export async function closeAgents(homes: readonly string[], running: readonly string[]): Promise<void> {
  await Promise.all([...new Set(homes)].filter((home) => !running.includes(home)).map(closeAgent));
}
