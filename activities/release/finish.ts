import { join } from 'node:path';
import type { BlobRef, PackageFormat } from '../../pipelines/model/artifact.ts';
import { checkSignatures } from '../repository/check-signatures.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { publicKeyFile } from '../repository/port.ts';
import { writeSignatures } from '../repository/signature.ts';
import { importBlob } from './import.ts';
import type { ReleaseDeps } from './port.ts';

interface Finish {
  readonly format: PackageFormat;
  readonly tree: string;
  readonly signatures: { readonly detached: BlobRef; readonly clear: BlobRef; readonly publicKey: BlobRef };
}

/**
 * Puts the signatures of the index into a staged tree.
 *
 * @throws when a signature does not check out with the archive's public key, whatever key comes along.
 */
export async function finishStaged(deps: ReleaseDeps, { format: id, tree, signatures }: Finish): Promise<void> {
  const format = repositoryFormats[id];
  const publicKey = await deps.archiveKey();
  const [detached, clear] = await Promise.all(
    [signatures.detached, signatures.clear].map(async ({ digest }) => {
      await importBlob(deps, digest);
      return (await deps.store.read(digest)).toString();
    }),
  );
  if (!detached || !clear) throw new Error('the signer answered with an empty signature');
  const settings = await format.settings(tree);
  await writeSignatures(format, tree, { settings, signatures: { detached, clear, publicKey } });
  const problem = (await checkSignatures(format, tree, join(tree, publicKeyFile))).problems[0];
  if (problem !== undefined) throw new Error(`${problem.subject}: ${problem.message}`);
}
