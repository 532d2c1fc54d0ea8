import { realpath, stat } from 'node:fs/promises';
import { Option } from 'commander';
import type { IndexSigner, PackageId, RepositoryFormat } from '../activities/repository/port.ts';
import type { Publication } from '../activities/repository/publish.ts';
import { counted } from '../pipelines/model/words.ts';
import { failed, misused } from './fault.ts';
import { log } from './output.ts';

/** The tree that a repository's directory shows. @throws CommandError when there is none. */
export async function shownTree(dir: string): Promise<string> {
  const tree = await realpath(dir).catch(() => {
    throw misused(`${dir} is not there`);
  });
  if (!(await stat(tree)).isDirectory()) throw misused(`${dir} is not a directory`);
  return tree;
}

/** A repository that a command was given: its tree and its format. @throws CommandError for what is none. */
export async function openRepository(dir: string): Promise<{ tree: string; format: RepositoryFormat }> {
  const { formatOf } = await import('../activities/repository/formats.ts');
  const tree = await shownTree(dir);
  const format = await formatOf(tree).catch((error: Error) => {
    throw error.name === 'RepositoryRefusal' ? misused(error.message) : error;
  });
  return { tree, format };
}

/** What a command that changes a repository is told of the key. */
export interface SignOptions {
  readonly sign?: string;
  readonly weakKey?: boolean;
}

/** `--sign` and `--weak-key`. */
export function signOptions(what: string): Option[] {
  return [
    new Option('--sign <key>', `GnuPG key for ${what}: a fingerprint, or a mail address that one key has`),
    new Option('--weak-key', 'sign with a key that newer clients refuse, too'),
  ];
}

/**
 * A signer on the user's own keys (or those in GNUPGHOME), where a key was named; warns of what clients dislike. GnuPG
 * is asked at once, and answers while the command goes on: a key that is refused is so where it is first needed.
 *
 * @param load what the command needs besides
 */
export async function signerFor<T>(
  { sign, weakKey = false }: SignOptions,
  load: () => Promise<T>,
): Promise<readonly [{ readonly signer?: IndexSigner }, T]> {
  if (sign === undefined) return [{}, await load()];
  const { resolveKey } = await import('../activities/sign/resolve-key.ts');
  const resolved = orRefused(resolveKey({ key: sign }, { weak: weakKey }));
  // Whoever needs the key hears of it.
  resolved.catch(() => {});
  const [loaded, { createGpgSigner }] = await Promise.all([load(), import('../activities/sign/gpg.ts')]);
  const made = resolved.then(({ key, warnings }) => {
    for (const warning of warnings) log(`warning: ${warning}`);
    return createGpgSigner(key);
  });
  made.catch(() => {});
  return [{ signer: signerOf(made) }, loaded];
}

/** A signer that is still asked for: whoever signs with it waits. */
function signerOf(made: Promise<IndexSigner>): IndexSigner {
  return {
    detach: async (text) => (await made).detach(text),
    clear: async (text) => (await made).clear(text),
    publicKey: async () => (await made).publicKey(),
    package: async (...files) => (await made).package(...files),
  };
}

/** What the tools refuse is the command's failure, without a stack. */
export async function orRefused<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const known = ['RepositoryRefusal', 'ProcessError', 'Locked'];
    if (error instanceof Error && known.includes(error.name)) throw failed(error.message);
    throw error;
  }
}

export function renderPublication({ changed, added, removed, packages, notes }: Publication): string {
  const lines = [...added.map((one) => `+ ${describe(one)}`), ...removed.map((one) => `- ${describe(one)}`)];
  const last = changed ? counted(packages, 'package') : `nothing changed, ${counted(packages, 'package')}`;
  return [...lines, ...notes.map((note) => `note: ${note}`), last].join('\n');
}

export function describe({ name, version, arch }: PackageId): string {
  return `${name} ${version} (${arch})`;
}
