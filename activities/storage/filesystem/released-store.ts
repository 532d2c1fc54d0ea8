import { constants } from 'node:fs';
import { copyFile, link, readdir, realpath } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { currentTree, generationsOf } from '../../repository/generations.ts';
import type { GenerationName, ReleasedTrees } from '../port.ts';
import { openStored } from './stored-file.ts';

export interface ReleasedStoreOptions {
  /** The directory of the released repositories, one beside the other. */
  readonly root: string;
  /** Where the server shows it, without a slash at the end. */
  readonly baseUrl: () => Promise<string>;
}

const repositoryPattern = /^[a-z0-9][a-z0-9._-]*$/;
const generationPattern = /^\d{6,}$/;

/** Released repositories in a directory. Whoever publishes them writes there; everybody else reads by this. */
export function createReleasedStore({ root, baseUrl }: ReleasedStoreOptions): ReleasedTrees {
  const treeOf = async ({ repository, generation }: GenerationName) => {
    if (!repositoryPattern.test(repository) || !generationPattern.test(generation)) return null;
    const { home } = await generationsOf(join(root, repository));
    return realpath(join(home, generation)).catch(() => null);
  };
  const find = async (of: GenerationName, path: string) => {
    const own = await treeOf(of);
    const found = own === null ? null : await realpath(join(own, path)).catch(() => null);
    return own !== null && found?.startsWith(own + sep) ? found : null;
  };
  return {
    current: async (repository) => {
      const tree = await currentTree(await generationsOf(join(root, checked(repository))));
      return tree === null ? null : basename(tree);
    },
    has: async (of) => (await treeOf(of)) !== null,
    list: async (of) => {
      const tree = await treeOf(of);
      return tree === null ? [] : list(tree);
    },
    open: async (of, path) => {
      const found = await find(of, path);
      return found === null ? null : openStored(found);
    },
    fetch: async (of, path, to) => {
      const found = await find(of, path);
      if (found === null) throw new Error(`${path} is no file of the generation ${of.generation} of ${of.repository}`);
      await linkOrCopy(found, to);
    },
    url: async (repository, generation) => {
      const base = await baseUrl();
      return generation === undefined
        ? `${base}/${checked(repository)}`
        : `${base}/generations/${checked(repository)}/${generation}`;
    },
  };
}

function checked(name: string): string {
  if (!repositoryPattern.test(name)) throw new Error(`not the name of a repository: ${JSON.stringify(name)}`);
  return name;
}

async function list(tree: string): Promise<readonly string[]> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(tree.length + 1)).sort();
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EXDEV' && error.code !== 'EPERM' && error.code !== 'EMLINK') throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
  });
}
