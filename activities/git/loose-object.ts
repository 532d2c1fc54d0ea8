import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { exists } from '../files/exists.ts';

const compress = promisify(deflate);

/**
 * Writes an object into a repository as Git does: `TYPE SIZE NUL CONTENT`, named by its SHA-1, deflated, in a file
 * of its own that appears whole (gitrepository-layout(5)). A process for each would cost more than all the rest.
 *
 * @returns the object's id
 */
export async function writeObject(repo: string, type: 'commit' | 'blob', content: Uint8Array): Promise<string> {
  const whole = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
  const id = createHash('sha1').update(whole).digest('hex');
  const directory = join(repo, 'objects', id.slice(0, 2));
  const path = join(directory, id.slice(2));
  if (await exists(path)) return id;
  await mkdir(directory, { recursive: true });
  const partial = join(directory, `tmp_obj_${randomUUID()}`);
  try {
    await writeFile(partial, await compress(whole), { mode: 0o444, flag: 'wx', flush: true });
    await link(partial, path).catch(ignoreExisting);
  } finally {
    await rm(partial, { force: true });
  }
  return id;
}

/** Somebody else wrote the same object: the content is the same, too. */
function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
