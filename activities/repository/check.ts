import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { judgeDates } from '../../pipelines/formats/deb/release.ts';
import { checkSignatures } from './check-signatures.ts';
import { findConflicts } from './conflicts.ts';
import { sayAbsent } from './extras.ts';
import type { RepositoryFormat, RepositoryProblem } from './port.ts';
import { verifyTree } from './verify.ts';

export interface CheckRequest {
  readonly tree: string;
  /** Repositories that the packages may also take their dependencies from. */
  readonly others: readonly string[];
  /** The key that must have signed the index; the repository's own when absent. */
  readonly key?: string;
}

/** What a check verified: a repository without problems may still have been checked in part. */
export interface Checked {
  readonly packages: number;
  readonly indexes: number;
  /** Fingerprints of the keys whose signatures are good. */
  readonly signers: readonly string[];
  /** Lists of packages that the index names and the repository does not keep. */
  readonly unchecked: readonly string[];
}

export interface CheckReport {
  readonly problems: readonly RepositoryProblem[];
  /** What is no problem yet. */
  readonly warnings: readonly string[];
  readonly checked: Checked;
}

/** Everything that is wrong with a repository: signatures, hashes, installability, file conflicts. */
export async function checkRepository(format: RepositoryFormat, request: CheckRequest): Promise<CheckReport> {
  const { tree, others } = request;
  const { signers, problems: unsigned, warnings } = await checkSignatures(format, tree, request.key);
  const { problems: damaged, ...counts } = await verifyTree(format, tree);
  const broken = [...unsigned, ...(await refusedForAge(format, tree)), ...damaged];
  // A solver or an unpacker that is given broken files would only repeat it in worse words.
  const problems =
    broken.length > 0
      ? broken
      : [...(await format.uninstallable(tree, others)), ...(await findConflicts(format, tree, others))];
  const absent = broken.length > 0 ? [] : await sayAbsent(format, tree);
  return { problems, warnings: [...warnings, ...absent], checked: { ...counts, signers } };
}

/** Root indexes that clients take no more, or not yet. */
async function refusedForAge(format: RepositoryFormat, tree: string): Promise<readonly RepositoryProblem[]> {
  if (format.id !== 'deb') return [];
  const roots = await format.roots(tree);
  const judged = roots.map(async (subject): Promise<RepositoryProblem[]> => {
    const message = judgeDates(await readFile(join(tree, subject), 'utf8'), Date.now());
    return message === null ? [] : [{ kind: 'signature', subject, message }];
  });
  return (await Promise.all(judged)).flat();
}
