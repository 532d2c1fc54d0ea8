import { rm } from 'node:fs/promises';
import { uploadPack } from './export.ts';
import { git } from './git.ts';
import { checkBranch, isObjectId, repositoryPath } from './names.ts';
import { makeWhole } from './whole.ts';

/** What of a project goes into a bundle, each with its whole history and the tags on it. */
export interface BundleContent {
  /** Commits that no branch need be at; a clone of the bundle checks the first out. */
  readonly commits: readonly string[];
  readonly branches: readonly { readonly branch: string; readonly commit: string }[];
}

/** Where commits are in a bundle, by their ids. */
const states = 'refs/sluice/states';

/**
 * Writes a file with commits and branches of a repository, to be fetched from elsewhere.
 *
 * @param file is not there yet
 */
export async function writeBundle(repo: string, { commits, branches }: BundleContent, file: string): Promise<void> {
  const [head = branches[0]?.commit] = commits;
  const wrong = [...commits, ...branches.map(({ commit }) => commit)].find((id) => !isObjectId(id));
  if (head === undefined || wrong !== undefined) throw new Error(`not a commit id: ${wrong ?? 'none'}`);
  const wanted = [
    ...commits.map((id) => `+${id}:${states}/${id}`),
    ...branches.map(({ branch, commit }) => `+${commit}:refs/heads/${checkBranch(branch)}`),
  ];
  const partial = `${file}.git`;
  try {
    await git(partial, ['init', '--quiet', '--bare', '--template=', partial]);
    await git(partial, ['fetch', '--quiet', `--upload-pack=${uploadPack}`, repo, ...wanted]);
    await git(partial, ['update-ref', '--no-deref', 'HEAD', head]);
    await git(partial, ['bundle', 'create', '--quiet', file, 'HEAD', '--all']);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * Makes the repository of a project from a bundle.
 *
 * @param root of bare repositories
 * @throws what git says of a file that is no bundle
 */
export async function takeBundle(root: string, project: string, file: string): Promise<void> {
  await makeWhole(repositoryPath(root, project), async (partial) => {
    await git(partial, ['fetch', '--quiet', '--update-head-ok', file, '+refs/*:refs/*']);
  });
}
