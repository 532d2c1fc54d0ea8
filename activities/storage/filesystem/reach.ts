import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Marks, markNamed } from '../marks.ts';

/** Bytes: what is larger is a package or an archive, no list of other content. */
const largest = 256 * 1024 * 1024;

/**
 * Marks what marked content names in its turn: a manifest its files, the memory of a gate its graphs, a graph what its
 * jobs were given. Only JSON is looked into.
 *
 * @returns the marks that were given and those that were found.
 */
export async function markReached(storage: string, given: Marks): Promise<Marks> {
  const marks: Marks = { ...given, blobs: new Map(given.blobs), repositories: new Map(given.repositories) };
  const seen = new Set<string>();
  // From the latest on: what is reached twice is marked by the later one, and looked into once.
  for (const [root, until] of [...given.blobs].sort(([, a], [, b]) => b - a || 0)) {
    const next = [root];
    for (let digits = next.pop(); digits !== undefined; digits = next.pop()) {
      if (seen.has(digits)) continue;
      seen.add(digits);
      const text = await readJson(join(storage, 'blobs', 'sha256', digits.slice(0, 2), digits.slice(2)));
      if (text === null) continue;
      const named: Marks = { ...marks, blobs: new Map() };
      markNamed(named, text, until);
      for (const each of named.blobs.keys()) {
        marks.blobs.set(each, Math.max(until, marks.blobs.get(each) ?? until));
        next.push(each);
      }
    }
  }
  return marks;
}

/** The content as text when it is JSON; null for everything else, and for what is not there. */
async function readJson(path: string): Promise<string | null> {
  const handle = await open(path).catch(() => null);
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    const first = Buffer.alloc(1);
    await handle.read(first, 0, 1, 0);
    if (size > largest || !/[[{]/.test(first.toString())) return null;
    return (await handle.readFile()).toString();
  } finally {
    await handle.close();
  }
}
