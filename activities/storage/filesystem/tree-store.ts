import { randomUUID } from 'node:crypto';
import { cp, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { makeOpenDirectory, openTree } from '../../files/modes.ts';
import { syncTree } from '../../files/sync.ts';
import { moveWhole } from '../../files/write.ts';
import type { Trees } from '../port.ts';
import { openStored } from './stored-file.ts';
import { removeGoing, takeAway } from './take-away.ts';

export interface TreeStoreOptions {
  /** The directory of the trees; made when absent. */
  readonly root: string;
  /** Where the server shows it, without a slash at the end. */
  readonly baseUrl: () => Promise<string>;
}

const namePattern = /^[a-z0-9][a-z0-9._-]*$/;

/** What `rename` says of a directory that is there and has something in it. */
const taken = new Set(['ENOTEMPTY', 'EEXIST']);

/** What a tree is called while it is on its way to its name. */
export const arriving = /^\..+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Trees in a directory, one beside the other; `.NAME.UUID` is one that is on its way, `.NAME.going` one that goes. */
export function createTreeStore({ root, baseUrl }: TreeStoreOptions): Trees {
  const path = (name: string) => join(root, checked(name));
  return {
    publish: (name, directory) => publish(root, path(name), directory),
    has: (name) =>
      stat(path(name)).then(
        () => true,
        () => false,
      ),
    remove: (name) => remove(root, checked(name)),
    list: async () => (await readdir(root).catch(() => [])).filter((name) => namePattern.test(name)).sort(),
    url: async (name) => `${await baseUrl()}/${checked(name)}/`,
    paths: (name) => paths(path(name)),
    open: async (name, inside) => {
      const found = await realpath(join(path(name), inside)).catch(() => null);
      const own = await realpath(path(name)).catch(() => null);
      return found === null || own === null || !found.startsWith(own + sep) ? null : openStored(found);
    },
  };
}

function checked(name: string): string {
  if (!namePattern.test(name)) throw new Error(`not the name of a tree: ${JSON.stringify(name)}`);
  return name;
}

async function paths(tree: string): Promise<readonly string[] | null> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true }).catch(() => null);
  const files = entries?.filter((entry) => entry.isFile());
  return files?.map((entry) => join(entry.parentPath, entry.name).slice(tree.length + 1)).sort() ?? null;
}

async function publish(root: string, tree: string, directory: string): Promise<void> {
  await makeOpenDirectory(root);
  const fresh = join(root, `.${tree.slice(root.length + 1)}.${randomUUID()}`);
  try {
    await bring(directory, fresh);
    await openTree(fresh);
    await syncTree(fresh);
    await moveWhole(fresh, tree).catch((error: NodeJS.ErrnoException) => {
      if (!taken.has(error.code ?? '')) throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** What killed processes left of any goes as well. */
async function remove(root: string, name: string): Promise<void> {
  await takeAway(join(root, name));
  await removeGoing(root);
}

async function bring(from: string, to: string): Promise<void> {
  await rename(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EXDEV') throw error;
    await cp(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    await rm(from, { recursive: true });
  });
}
