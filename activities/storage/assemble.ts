import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobStore } from '../ports.ts';
import type { Trees } from './port.ts';

/** A file of a tree whose content is stored. */
export interface TreeFile {
  /** Relative, without `.` and `..`. */
  readonly path: string;
  readonly digest: string;
}

export interface AssembleDeps {
  readonly blobs: Pick<BlobStore, 'fetch'>;
  readonly trees: Pick<Trees, 'publish'>;
  /** For directories that are there for a moment. */
  readonly workRoot: string;
}

/** Shows a tree of files that are all stored: whole, or not at all. */
export function createAssembly({ blobs, trees, workRoot }: AssembleDeps) {
  return async (name: string, files: readonly TreeFile[]): Promise<void> => {
    await mkdir(workRoot, { recursive: true });
    const work = await mkdtemp(join(workRoot, 'tree-'));
    try {
      const tree = join(work, 'tree');
      await mkdir(tree);
      for (const { path, digest } of files) {
        await mkdir(dirname(join(tree, path)), { recursive: true });
        await blobs.fetch(digest, join(tree, path));
      }
      await trees.publish(name, tree);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  };
}
