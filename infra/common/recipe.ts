import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What decides how packages are built, tools in images aside: all that a stage may run. */
const folders = ['activities', 'pipelines', 'workflows', 'infra/images'] as const;

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Digest of the program that builds: another version of Sluice may build otherwise. Asked once in a process, which goes
 * on as it was loaded.
 */
export async function recipeDigest(): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  for (const folder of folders) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) hash.update(`\0${file.slice(root.length)}\0`).update(await readFile(file));
  }
  return `sha256:${hash.digest('hex')}`;
}
