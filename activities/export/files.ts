import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ExportDescription } from '../../pipelines/export/description.ts';
import { writeWhole } from '../files/write.ts';

/** A file below an export's directory, as `export.json` has it. */
export type FileEntry = ExportDescription['files'][string];

/** Writes a file of an export, with the directories on the way. */
export async function place(root: string, path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeWhole(join(root, path), content);
}

/** What is below a directory, by path, in order: links and the like are named, and not followed. */
export async function entriesIn(root: string): Promise<readonly { readonly path: string; readonly isFile: boolean }[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => ({ path: join(entry.parentPath, entry.name).slice(root.length + 1), isFile: entry.isFile() }))
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** Digest and size of a file. */
export async function measure(path: string): Promise<FileEntry> {
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(createReadStream(path), async (chunks) => {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      size += chunk.length;
      hash.update(chunk);
    }
  });
  return { digest: `sha256:${hash.digest('hex')}`, size };
}
