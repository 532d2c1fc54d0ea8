import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { readPackages } from '../../../activities/repository/deb/packages-list.ts';
import { readPacked, readParagraphs } from '../../../activities/repository/files.ts';
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
    for await (const whole of readParagraphs(path)) assert.equal(whole.toString(), pieces.join(''), name);
  }
});

test('a plain list comes in pieces of whole paragraphs, whatever is between them', async (t) => {
  const path = join(await temporary(t), 'Packages');
  const paragraph = (at: number) => `Package: one${at}\nDescription: ${'word '.repeat(20)}\n`;
  const texts = {
    many: Array.from({ length: 20_000 }, (_, at) => `${paragraph(at)}${'\n'.repeat(1 + (at % 3))}`).join(''),
    'with blanks in empty lines': Array.from({ length: 20_000 }, (_, at) => `${paragraph(at)} \n`).join(''),
    'without a last line': 'Package: one\n\nPackage: two',
    empty: '',
  };
  for (const [name, text] of Object.entries(texts)) {
    await writeFile(path, text);
    const pieces: string[] = [];
    for await (const piece of readParagraphs(path)) pieces.push(piece.toString());
    assert.equal(pieces.join(''), text, name);
    assert.ok(
      pieces.slice(0, -1).every((piece) => piece.endsWith('\n\n')),
      name,
    );
    if (name === 'many') assert.ok(pieces.length > 1);
    assert.deepEqual(
      pieces.flatMap((piece) => readPackages(Buffer.from(piece))),
      readPackages(Buffer.from(text)),
      name,
    );
  }
});
