import { realpath } from 'node:fs/promises';
import type { IndexSigner, PackageId } from '../activities/repository/port.ts';
import type { Publication } from '../activities/repository/publish.ts';
import { failed } from './fault.ts';

/** The tree that a repository's directory shows. @throws CommandError when there is none. */
export async function shownTree(dir: string): Promise<string> {
  return realpath(dir).catch(() => {
    throw failed(`${dir} is not there`);
  });
}

/** A signer on the user's own keys (or those in GNUPGHOME), where a key was named. */
export async function signerFor(key: string | undefined): Promise<{ readonly signer?: IndexSigner }> {
  if (key === undefined) return {};
  const { createGpgSigner } = await import('../activities/sign/gpg.ts');
  return { signer: createGpgSigner({ key }) };
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

export function renderPublication({ changed, added, removed, packages }: Publication): string {
  const lines = [...added.map((one) => `+ ${describe(one)}`), ...removed.map((one) => `- ${describe(one)}`)];
  return [...lines, changed ? `${packages} packages` : `nothing changed, ${packages} packages`].join('\n');
}

export function describe({ name, version, arch }: PackageId): string {
  return `${name} ${version} (${arch})`;
}
