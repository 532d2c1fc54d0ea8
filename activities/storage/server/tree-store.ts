import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { BlobStore } from '../../ports.ts';
import type { Trees } from '../port.ts';
import { must, type ServerClient } from './client.ts';
import { writeAnswer } from './download.ts';

export interface ServerTreeOptions {
  readonly server: ServerClient;
  readonly blobs: Pick<BlobStore, 'put'>;
  /** Where the server says that test repositories are, without a slash at the end. */
  readonly baseUrl: string;
  /** Id of the build that one is published for. */
  readonly build: () => string;
  /** For directories that are there for a moment. */
  readonly workRoot: string;
}

/** Test repositories of the server: shown by it, made and looked at here. */
export interface ServerTrees extends Pick<Trees, 'publish' | 'has' | 'url'> {
  /** Brings the indexes of one into a directory, for as long as `work` looks at it; null when it is not there. */
  look<T>(name: string, work: (tree: string) => Promise<T>): Promise<T | null>;
}

/** Where the formats have their indexes: packages are not brought. */
const indexes = /^(dists|repodata)\//;

export function createServerTreeStore({ server, blobs, baseUrl, build, workRoot }: ServerTreeOptions): ServerTrees {
  const pathOf = (name: string) => `/api/worker/trees/${encodeURIComponent(name)}`;
  return {
    has: async (name) => (await server.ask(pathOf(name))) !== null,
    url: async (name) => `${baseUrl}/${name}/`,
    async publish(name, directory) {
      const files: { path: string; digest: string }[] = [];
      for (const path of await filesOf(directory)) {
        files.push({ path, digest: (await blobs.put({ path: join(directory, path) })).digest });
      }
      const body = JSON.stringify({ files });
      const headers = { 'content-type': 'application/json' };
      const asked = server.ask(`${pathOf(name)}?build=${build()}`, { method: 'PUT', headers, body: () => ({ body }) });
      await must(asked, () => new Error(`the server takes no test repository ${name}`));
      await rm(directory, { recursive: true });
    },
    async look(name, work) {
      const answer = await server.ask(pathOf(name));
      if (answer === null) return null;
      const paths = ((await answer.json()) as readonly string[]).filter((path) => indexes.test(path));
      await mkdir(workRoot, { recursive: true });
      const tree = await mkdtemp(join(workRoot, 'indexes-'));
      try {
        for (const path of paths) await bring(server, { name, path, to: inside(tree, path) });
        return await work(tree);
      } finally {
        await rm(tree, { recursive: true, force: true });
      }
    },
  };
}

async function filesOf(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const odd = entries.find((entry) => !entry.isFile() && !entry.isDirectory());
  if (odd !== undefined) throw new Error(`${odd.name} is no regular file: only those are shown`);
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(root, join(entry.parentPath, entry.name))).sort();
}

function inside(root: string, path: string): string {
  const to = join(root, path);
  if (relative(root, to).startsWith('..')) throw new Error(`not a path in a test repository: ${JSON.stringify(path)}`);
  return to;
}

interface Wanted {
  readonly name: string;
  readonly path: string;
  readonly to: string;
}

async function bring(server: ServerClient, { name, path, to }: Wanted): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const parts = [name, ...path.split('/')].map(encodeURIComponent).join('/');
  const absence = () => new Error(`${name} has no ${path} any more`);
  await writeAnswer(await must(server.ask(`/repositories/test/${parts}`), absence), to);
}
