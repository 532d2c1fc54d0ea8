import { join } from 'node:path';
import type { BlobRef, PackageFormat } from '../../pipelines/model/artifact.ts';
import { andMore } from '../../pipelines/model/words.ts';
import { checkSignatures } from '../repository/check-signatures.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { publicKeyFile, type RepositoryProblem, RepositoryRefusal } from '../repository/port.ts';
import { writeSignatures } from '../repository/signature.ts';
import { keyListOf } from '../sign/left-keys.ts';
import type { SignedIndexes } from '../sign/sign-activities.ts';
import { readImported } from './import.ts';
import type { ReleaseDeps } from './port.ts';
import { isPackage } from './stage.ts';

interface Finish {
  readonly format: PackageFormat;
  readonly repository: string;
  readonly tree: string;
  readonly signatures: SignedIndexes;
}

/** The same signature is looked at with the same keys: to look again helps nobody. */
const again = 'start the signer again, which then tries its keys and shows them, and release again';

/**
 * Puts the signatures of the indexes into a staged tree.
 *
 * @throws RepositoryRefusal where the signer has not signed all of them, what it has made is damaged, or a signature does
 * not check out with the public keys that it shows, whatever key comes along
 */
export async function finishStaged(
  deps: ReleaseDeps,
  { format: id, repository, tree, signatures }: Finish,
): Promise<void> {
  const format = repositoryFormats[id];
  const publicKey = await deps.archiveKey(repository);
  const read = ({ digest }: BlobRef) => readImported(deps, digest);
  const made = [signatures, ...(signatures.also ?? [])].map(async (one) => {
    const [detached, clear] = await Promise.all([read(one.detached), read(one.clear)]);
    if (!detached || !clear) throw new RepositoryRefusal(`the signer answered with an empty signature: ${again}`);
    return { detached, clear };
  });
  const roots = format.signedRoots(await format.settings(tree));
  await writeSignatures(tree, roots, { publicKey, signatures: await Promise.all(made) });
  const { problems } = await checkSignatures(format, tree, join(tree, publicKeyFile));
  const [problem] = problems;
  if (problem === undefined) return;
  const { subject, message } = problem;
  if (isPackage(subject)) throw new RepositoryRefusal(ofOtherKey(deps, repository, problems));
  throw new RepositoryRefusal(`${subject}: ${message}: by the keys that the signer shows it is not good; ${again}`);
}

/** What clients would refuse that are shown the keys which the repository has now. */
function ofOtherKey({ rules }: ReleaseDeps, repository: string, problems: readonly RepositoryProblem[]): string {
  const [first] = problems;
  const old = `name that key in \`${keyListOf(rules, repository)}\`, after those that are there, and ${again}`;
  const made = `${first?.subject}${andMore(problems.length)} was signed by a key that clients of ${repository} are not shown`;
  return `${made}: ${old}; of a release plan, run its release jobs again, which sign anew`;
}
