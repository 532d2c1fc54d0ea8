import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';

/**
 * Writes a file that only its owner can read, whole or not at all.
 *
 * @returns its content: that of whoever came first
 */
export async function keepFirst(path: string, content: string): Promise<string> {
  const fresh = `${path}.${randomUUID()}`;
  await writeFile(fresh, content, { mode: 0o600 });
  try {
    await link(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(fresh);
  }
  return readFile(path, 'utf8');
}
