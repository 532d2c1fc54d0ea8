import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type Headers, pack as startArchive } from 'tar-stream';
import { RefusedContent } from '../../../activities/nodes/refused-content.ts';
import { unpack } from '../../../activities/nodes/unpack.ts';

type Entry = Partial<Headers> & { readonly linkname?: string; readonly text?: string };

const limits = { files: 5, bytes: 100 };

async function archive(entries: readonly Entry[]): Promise<Readable> {
  return Readable.from([await bytes(entries)]);
}

async function bytes(entries: readonly Entry[]): Promise<Buffer> {
  const pack = startArchive();
  for (const { text = '', ...headers } of entries) pack.entry(headers, text);
  pack.finalize();
  return buffer(pack);
}

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-unpack-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

const hostile: readonly (readonly [string, readonly Entry[], RegExp])[] = [
  ['an absolute path', [{ name: '/etc/canary', text: 'x' }], /"\/etc\/canary" leads out/],
  ['a path that leads out', [{ name: 'a/../../canary', text: 'x' }], /leads out/],
  ['a path that leads out and back', [{ name: 'a/../canary', text: 'x' }], /leads out/],
  ['a link and a file behind it', [{ name: 'd', type: 'symlink', linkname: '/tmp' }, { name: 'd/x' }], /symbolic link/],
  ['a hard link to outside', [{ name: 'h', type: 'link', linkname: '../../etc/passwd' }], /hard link/],
  ['a block device', [{ name: 'b', type: 'block-device' }], /is a device/],
  [
    'a name that is there twice',
    [
      { name: 'x', text: '1' },
      { name: './x', text: '2' },
    ],
    /"\.\/x" is there twice/,
  ],
  [
    'a file and a directory of one name',
    [
      { name: 'x', text: '1' },
      { name: 'x', type: 'directory' },
    ],
    /./,
  ],
  ['a name of 256 bytes', [{ name: 'é'.repeat(128), text: 'x' }], /is too long/],
  ['a path of 2000 bytes', [{ name: 'a/'.repeat(1000), text: 'x' }], /is too long/],
  ['a file without a name', [{ name: './', type: 'file', text: 'x' }], /no name for a file|is there twice/],
  ['too many files', 'abcdef'.split('').map((name) => ({ name })), /more than 5 files/],
  [
    'too many bytes in all',
    [
      { name: 'a', text: 'x'.repeat(60) },
      { name: 'b', text: 'x'.repeat(60) },
    ],
    /100 bytes/,
  ],
];

for (const [what, entries, reason] of hostile) {
  test(`R1: an archive with ${what} is refused whole`, async (t) => {
    const to = await directory(t);
    const first = { name: 'good', text: 'y' };
    await assert.rejects(unpack(await archive([first, ...entries]), to, limits), reason);
    const left = await readdir(to, { recursive: true, withFileTypes: true });
    assert.deepEqual(
      left.filter((each) => !each.isDirectory()),
      [],
    );
  });
}

test('R1: an archive that breaks off leaves nothing', async (t) => {
  const to = await directory(t);
  const whole = await bytes([{ name: 'a', text: 'x'.repeat(90) }]);
  await assert.rejects(unpack(Readable.from([whole.subarray(0, 550)]), to, limits), (error) => {
    assert.ok(!(error instanceof RefusedContent), 'that is a fault, and no verdict');
    return true;
  });
  // The file may be in the making as the archive ends.
  while ((await readdir(to)).length > 0) await new Promise(setImmediate);
});

test('what is welcome is written as it is', async (t) => {
  const to = await directory(t);
  const entries = [
    { name: 'd/', type: 'directory' },
    { name: 'd/x', text: 'one' },
    { name: './y', text: '' },
  ];
  assert.deepEqual(await unpack(await archive(entries), to, limits), [
    { path: 'd/x', size: 3 },
    { path: 'y', size: 0 },
  ]);
  assert.equal(await readFile(join(to, 'd/x'), 'utf8'), 'one');
});
