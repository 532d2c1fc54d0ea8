import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Submodule } from '../../pipelines/model/submodule.ts';
import { git } from './git.ts';
import { requireModest } from './measure.ts';
import { checkOutModules, namedModules } from './modules.ts';
import { checkBranch, isObjectId, show } from './names.ts';
import { SourceFault } from './source-fault.ts';

export interface ExportInput {
  readonly repo: string;
  /** Object id. */
  readonly commit: string;
  /** Name of the branch that is checked out in the copy. */
  readonly branch: string;
  /** An empty or absent directory. */
  readonly directory: string;
  /** Brings the submodules of the commit into the repository; absent where nobody does. */
  readonly modules?: ((signal?: AbortSignal) => Promise<readonly Submodule[]>) | undefined;
}

/** A commit needs not be at any ref to be fetched, and the repository's owner does not matter: it is our own. */
export const uploadPack = "git -c uploadpack.allowAnySHA1InWant=true -c safe.directory='*' upload-pack";

/**
 * Checks a commit out into a directory, with its whole history and the tags on it: versions are derived from them.
 * The copy shares no file with the repository, has no remote, and runs no hook. Submodules are there as files, without
 * a history.
 *
 * @returns the submodules, in the order in which they were met
 * @throws SourceFault for submodules that cannot be had, and for more than any sources are
 */
export async function exportTree(input: ExportInput, signal?: AbortSignal): Promise<readonly Submodule[]> {
  const { repo, commit, directory } = input;
  if (!isObjectId(commit)) throw new Error(`not a commit id: ${commit}`);
  const branch = checkBranch(input.branch);
  const options = { cwd: directory, ...(signal === undefined ? {} : { signal }) };
  const inside = join(directory, '.git');
  await requireModest(repo, [commit]);
  await mkdir(directory, { recursive: true });
  await git(inside, ['init', '--quiet', '--template=', `--initial-branch=${branch}`, directory], options);
  await git(
    inside,
    ['fetch', '--quiet', '--update-head-ok', `--upload-pack=${uploadPack}`, repo, `+${commit}:refs/heads/${branch}`],
    options,
  );
  await git(inside, [`--work-tree=${directory}`, 'reset', '--quiet', '--hard', commit], options);
  return addModules(input, signal);
}

async function addModules(
  { repo, commit, directory, modules: bring }: ExportInput,
  signal?: AbortSignal,
): Promise<readonly Submodule[]> {
  const [first] = await namedModules(repo, commit);
  if (first === undefined) return [];
  if (bring === undefined) throw new SourceFault(`${show(first.path)} is a Git submodule, which is not fetched here`);
  const modules = await bring(signal);
  await requireModest(repo, [commit, ...modules.map((module) => module.commit)]);
  await checkOutModules({ repo, commit, directory }, modules);
  return modules;
}
