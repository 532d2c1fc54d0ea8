import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSafeProject } from '../../git/names.ts';

/** How deep repositories may be, and how many folders are looked into. */
const deepest = 8;
const mostFolders = 20_000;

/** Repositories below a directory, bare or not, without the `.git` of their names, in order. */
export async function listRepositories(root: string): Promise<readonly string[]> {
  const found = new Set<string>();
  const waiting: string[] = [''];
  for (let looked = 0; looked < mostFolders; looked += 1) {
    const below = waiting.shift();
    if (below === undefined) break;
    const entries = await readdir(join(root, below), { withFileTypes: true });
    const names = new Set(entries.map(({ name }) => name));
    const isRepository = (names.has('HEAD') && names.has('objects') && names.has('refs')) || names.has('.git');
    if (isRepository && below !== '') found.add(below.replace(/\.git$/, ''));
    if (isRepository || below.split('/').length >= deepest) continue;
    for (const entry of entries) {
      if (entry.isDirectory()) waiting.push(below === '' ? entry.name : `${below}/${entry.name}`);
    }
  }
  return [...found].filter(isSafeProject).sort();
}
