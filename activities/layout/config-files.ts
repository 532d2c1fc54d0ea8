import { readTree, type TreeFile } from '../git/tree.ts';

/** Where configuration is looked for in a branch: the first of these that exists is read, as Zuul does. */
const places = ['zuul.yaml', 'zuul.d', '.zuul.yaml', '.zuul.d'];

/** The configuration files of a commit, in order of path. */
export async function readConfigFiles(repo: string, commit: string): Promise<readonly TreeFile[]> {
  const files = (await readTree(repo, commit, places)).filter(({ path }) => path.endsWith('.yaml'));
  const found = places.find((place) => files.some(({ path }) => path === place || path.startsWith(`${place}/`)));
  return files.filter(({ path }) => path === found || path.startsWith(`${found}/`));
}
