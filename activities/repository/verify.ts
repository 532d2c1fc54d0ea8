import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from './files.ts';
import type { RepositoryFormat, RepositoryProblem } from './port.ts';

/** Checks size and hash of every index file that the tree's root index vouches for. */
export async function verifyIndexes(format: RepositoryFormat, tree: string): Promise<RepositoryProblem[]> {
  const problems: RepositoryProblem[] = [];
  for (const { path, size, sha256: wanted } of await format.vouched(tree)) {
    const file = join(tree, path);
    const found = await stat(file).catch(() => null);
    if (found === null) problems.push({ kind: 'hash', subject: path, message: 'it is named and not there' });
    else if (found.size !== size || (await sha256(file)) !== wanted) {
      problems.push({ kind: 'hash', subject: path, message: 'its content is not what the root index says' });
    }
  }
  return problems;
}
