import type { ChangedFiles, Layout } from '../../pipelines/language/language.ts';
import type { Git } from '../git/port.ts';
import type { TreeFile } from '../git/tree.ts';

/** Where configuration is looked for in a branch: the first of these that exists is read, as Zuul does. */
const places = ['zuul.yaml', 'zuul.d', '.zuul.yaml', '.zuul.d'];

/** What the places hold, as text: commits for which it is equal have the same configuration files. */
export async function readConfigIds(git: Git, project: string, commit: string): Promise<string> {
  const root = await git.readRoot(project, commit);
  return places.map((place) => root.get(place) ?? '').join(' ');
}

/** The configuration files of a commit, in order of path. */
export async function readConfigFiles(git: Git, project: string, commit: string): Promise<readonly TreeFile[]> {
  const files = (await git.readTree(project, commit, places)).filter(({ path }) => path.endsWith('.yaml'));
  const found = places.find((place) => files.some(({ path }) => path === place || path.startsWith(`${place}/`)));
  return files.filter(({ path }) => path === found || path.startsWith(`${found}/`));
}

/** A branch as a commit would make it. */
export interface ProposedBranch {
  readonly project: string;
  readonly branch: string;
  /** Object id or full ref; null where nothing is left. */
  readonly commit: string | null;
}

/** What a commit makes of a branch's configuration: a file that it has not is gone. */
export async function readChangedFiles(
  git: Git,
  layout: Layout,
  { project, branch, commit }: ProposedBranch,
): Promise<ChangedFiles> {
  const read = commit === null ? [] : await readConfigFiles(git, project, commit);
  const old = layout.files.filter(({ origin }) => origin.project === project && origin.branch === branch);
  const gone = old.map(({ origin }) => origin.path).filter((path) => !read.some((file) => file.path === path));
  return { project, branch, files: [...read, ...gone.map((path) => ({ path, text: null }))] };
}
