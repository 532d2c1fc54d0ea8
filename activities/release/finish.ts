import { join } from 'node:path';
import type { BlobRef, PackageFormat } from '../../pipelines/model/artifact.ts';
import { checkSignatures } from '../repository/check-signatures.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { publicKeyFile } from '../repository/port.ts';
import { writeSignatures } from '../repository/signature.ts';
import type { SignedIndexes } from '../sign/sign-activities.ts';
import { readImported } from './import.ts';
import type { ReleaseDeps } from './port.ts';

interface Finish {
  readonly format: PackageFormat;
  readonly tree: string;
  readonly signatures: SignedIndexes;
}

/**
 * Puts the signatures of the indexes into a staged tree.
 *
 * @throws RepositoryRefusal where the signer has not signed all of them, or what it has made is damaged
 * @throws when a signature does not check out with the archive's public key, whatever key comes along.
 */
export async function finishStaged(deps: ReleaseDeps, { format: id, tree, signatures }: Finish): Promise<void> {
  const format = repositoryFormats[id];
  const publicKey = await deps.archiveKey();
  const read = ({ digest }: BlobRef) => readImported(deps, digest);
  const made = [signatures, ...(signatures.also ?? [])].map(async (one) => {
    const [detached, clear] = await Promise.all([read(one.detached), read(one.clear)]);
    if (!detached || !clear) throw new Error('the signer answered with an empty signature');
    return { detached, clear };
  });
  const roots = format.signedRoots(await format.settings(tree));
  await writeSignatures(tree, roots, { publicKey, signatures: await Promise.all(made) });
  const problem = (await checkSignatures(format, tree, join(tree, publicKeyFile))).problems[0];
  if (problem !== undefined) throw new Error(`${problem.subject}: ${problem.message}`);
}
