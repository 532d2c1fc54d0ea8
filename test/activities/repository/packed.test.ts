import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { readPacked, readUnpacked } from '../../../activities/repository/files.ts';
import { temporary } from './packages.ts';

/** A frame that holds no data: readers pass over it. */
const skippable = Buffer.from('502a4d1804000000736b6970', 'hex');

test('an index that was packed in several pieces is read whole', async (t) => {
  const work = await temporary(t);
  const pieces = ['Package: one\n\n', 'Package: two\n\n'];
  for (const [name, bytes] of Object.entries({
    'Packages.gz': pieces.map((piece) => gzipSync(piece)),
    'Packages.zst': [skippable, ...pieces.map((piece) => zstdCompressSync(piece))],
  })) {
    const path = join(work, name);
    await writeFile(path, Buffer.concat(bytes));
    assert.equal(await readPacked(path), pieces.join(''), name);
    assert.equal((await readUnpacked(path)).toString(), pieces.join(''), name);
  }
});
