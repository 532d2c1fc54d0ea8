import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { DigestAlgorithm } from '../../pipelines/formats/digest.ts';

/** The file's SHA-256, in hex. */
export function sha256(file: string): Promise<string> {
  return hashOf(file, 'sha256');
}

/** The file's hash, in hex. */
export async function hashOf(file: string, algorithm: DigestAlgorithm): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Characters that are hashed at a time: to call for each of many short texts takes longer than what is done for it. */
const enough = 100_000;

/** The SHA-256 of texts one after the other, in hex. */
export function digestOfTexts(texts: Iterable<string>): string {
  const hash = createHash('sha256');
  let some = '';
  for (const text of texts) {
    some += text;
    if (some.length < enough) continue;
    hash.update(some);
    some = '';
  }
  return hash.update(some).digest('hex');
}

/** Passes on, in a pipeline, what it has hashed. */
export function hashing(hash: Hash) {
  return async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
}

/** The digests of files that have not changed since they were read, by path, and how each looked from outside. */
const known = new Map<string, { readonly stamp: string; readonly digest: string }>();

/** The same, of a file that is looked at again and again: it is read when it has changed. */
export async function knownSha256(path: string): Promise<string> {
  // Whoever copies with `cp -p` gives back the time of the last change, but not that of the inode.
  const { ino, size, mtimeMs, ctimeMs } = await stat(path);
  const stamp = JSON.stringify([ino, size, mtimeMs, ctimeMs]);
  const found = known.get(path);
  const digest = found?.stamp === stamp ? found.digest : await sha256(path);
  known.set(path, { stamp, digest });
  return digest;
}
