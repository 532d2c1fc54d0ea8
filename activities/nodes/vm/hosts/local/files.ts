import { constants } from 'node:fs';
import { access, copyFile, mkdir, open, readdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../../../files/digest.ts';
import { syncTree } from '../../../../files/sync.ts';
import { moveWhole, writeWhole } from '../../../../files/write.ts';
import { must } from '../../../../process/run.ts';
import type { HostFiles } from '../port.ts';

/** Files of this machine. */
export const localFiles: HostFiles = {
  has: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
  list: (directory) => readdir(directory).catch(unlessAbsent<string[]>([])),
  read: (path) => readFile(path, 'utf8').catch(unlessAbsent(null)),
  readEnd,
  async readEach(directory, name) {
    const inside = await readdir(directory).catch(unlessAbsent<string[]>([]));
    const texts = await Promise.all(
      inside.map((each) => readFile(join(directory, each, name), 'utf8').catch(() => '')),
    );
    return texts.filter((text) => text !== '');
  },
  async listWithout(directory, name) {
    const found = await readdir(directory, { withFileTypes: true }).catch(unlessAbsent([]));
    const lacking = found.map(async (each) => {
      const inside = each.isDirectory() && (await readdir(join(directory, each.name)).catch(() => null));
      return inside && !inside.includes(name) ? [each.name] : [];
    });
    return (await Promise.all(lacking)).flat();
  },
  write: (path, content) => writeWhole(path, content, { mode: 0o600 }),
  makeDirectory: async (path) => void (await mkdir(path, { recursive: true, mode: 0o700 })),
  remove: (path) => rm(path, { recursive: true, force: true }),
  move: moveWhole,
  copy: (from, to) => copyFile(from, to, constants.COPYFILE_FICLONE),
  sync: (directory) => syncTree(directory),
  async sizeOf(path) {
    const inside = await readdir(path, { recursive: true }).catch(() => []);
    const sizes = await Promise.all([path, ...inside.map((name) => join(path, name))].map(blocksOf));
    return sizes.reduce((sum, size) => sum + size, 0);
  },
  async free(directory) {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  },
  async bring(directory, to) {
    await mkdir(to, { mode: 0o700 });
    await must('cp', ['-r', '--sparse=auto', '--reflink=auto', '--', `${directory}/.`, to]);
  },
  digest: sha256,
};

function unlessAbsent<T>(otherwise: T) {
  return (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT') return otherwise;
    throw error;
  };
}

function blocksOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => (found.isFile() ? found.blocks * 512 : 0),
    () => 0,
  );
}

async function readEnd(path: string, bytes: number) {
  const file = await open(path).catch(unlessAbsent(null));
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    const position = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - position);
    const { bytesRead } = await file.read({ buffer, position });
    return { text: buffer.toString('latin1', 0, bytesRead), size };
  } finally {
    await file.close();
  }
}
