import { readFile } from 'node:fs/promises';
import { systemReason } from '../files/system-reason.ts';

/** What is to be in the files of a connection or a mirror, by the keys that name them. */
const remedies = {
  knownHosts: "put the host's key there, compared with its own",
  identity: 'put the private key there whose public one the account has',
} as const;

type Key = keyof typeof remedies;

/**
 * Looks whether the files that a configuration names for SSH can be read: of one that cannot, `ssh` says only that no
 * key is known or taken.
 *
 * @throws an error that says which file it is, by its key, why it cannot be read, and what to put there
 */
export async function checkKeyFiles(files: { readonly [key in Key]?: string | undefined }): Promise<void> {
  for (const key of ['knownHosts', 'identity'] as const) {
    const path = files[key];
    if (path === undefined) continue;
    await readFile(path).catch((error: NodeJS.ErrnoException) => {
      throw new Error(`${path}, which \`${key}\` names, cannot be read: ${systemReason(error)}: ${remedies[key]}`);
    });
  }
}
