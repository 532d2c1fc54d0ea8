import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListedEntry } from '../../../pipelines/mirror/listing.ts';
import { publishedMode } from '../../../pipelines/mirror/manifest.ts';

/** What a tree here holds, as it is published: directories, files and links by paths below it, outer ones first. */
export async function entriesOf(tree: string): Promise<ListedEntry[]> {
  const found = await readdir(tree, { recursive: true, withFileTypes: true });
  const paths = found.map(({ parentPath, name }) => join(parentPath, name).slice(tree.length + 1)).sort();
  const entries: ListedEntry[] = [];
  for (const path of paths) {
    const entry = await entryOf(tree, path);
    if (entry.kind !== 'other') entries.push(entry);
  }
  return entries;
}

/** One entry of a tree here, as it is published. */
export async function entryOf(tree: string, name: string): Promise<ListedEntry> {
  const facts = await lstat(join(tree, name));
  const common = { name, target: null, size: facts.size, mtime: Math.floor(facts.mtimeMs / 1_000) };
  if (facts.isDirectory()) return { ...common, kind: 'directory', mode: 0o755 };
  if (facts.isFile()) return { ...common, kind: 'file', mode: publishedMode(facts.mode) };
  if (facts.isSymbolicLink()) return { ...common, kind: 'link', mode: 0o777, target: await readlink(join(tree, name)) };
  return { ...common, kind: 'other', mode: 0 };
}
