import assert from 'node:assert/strict';
import { createReadStream, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sha256 } from '../../../activities/files/digest.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { vmImages } from '../../../infra/images/vm/images.ts';
import type { DiskImage, Installation, Platform } from '../../../pipelines/model/platform.ts';
import { tinyIso } from './tiny-iso.ts';

const MiB = 1024 ** 2;
const usual: Installation = { size: 3 * MiB, label: 'OEMDRV', memory: 64 * MiB, timeout: 120 };

async function scratch(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-iso-'));
  t.after(() => rm(root, { recursive: true }));
  await mkdir(join(root, 'answers'));
  await writeFile(join(root, 'answers', 'ks.cfg'), 'poweroff\n');
  return root;
}

/** The image of a platform whose disk is installed. */
function imageOf(root: string, image: Partial<DiskImage>, install: Partial<Installation> = {}) {
  const answers = join(root, 'answers');
  const given = { maxSize: 20 * MiB, install: { ...usual, answers, ...install }, ...image };
  const platform = { ...builtInPlatforms[0], name: 'given', provider: 'vm', image: given } as Platform;
  const images = vmImages(join(root, 'vm'), [platform]);
  const signal = AbortSignal.timeout(600_000);
  const ensure = (tell = (_: string) => {}) => images.ensureImage(platform, { signal, tell });
  const left = () => readdir(join(root, 'vm', 'disks')).then((names) => names.filter((name) => name !== '.lock'));
  return { ensure, now: () => images.imageNow(platform), left };
}

test('I10: a disk is installed by an ISO image that is fetched once, with its answers on a CD of their name', async (t) => {
  const root = await scratch(t);
  const iso = await tinyIso(root, 'off');
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    createReadStream(iso).pipe(response);
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tiny.iso`;
  const given = { url, sha256: await sha256(iso) };
  const { ensure, now, left } = imageOf(root, given);
  const image = await ensure();
  assert.equal(await ensure(), image);
  const disk = await readFile(join(image, 'disk'));
  assert.equal(disk.length, usual.size);
  // After the installer's own sector is what it has read of the other CD: a volume's description.
  assert.equal(disk.toString('latin1', 513, 518), 'CD001');
  assert.equal(disk.toString('latin1', 552, 560).trim(), 'OEMDRV');
  assert.ok((await readdir(image)).includes('seed'), 'cloud-init goes on as with a disk that was given');
  assert.equal((await left()).filter((name) => name.startsWith('.')).length, 0);

  await writeFile(join(root, 'answers', 'ks.cfg'), 'reboot\n');
  assert.notEqual(await now(), image, 'other answers make another disk');
  assert.notEqual(await imageOf(root, given, { label: 'cidata' }).now(), image);
  assert.notEqual(await ensure(), image);
  assert.equal(asked, 1);
});

test('I10: an installer that does not switch the machine off is told with its console, and leaves nothing', async (t) => {
  const root = await scratch(t);
  // On a busy machine it may take longer to come as far as its first word.
  const limits = { never: [2, 20, 100], anew: [usual.timeout] };
  for (const [ending, message] of [
    ['never', /: the installer has not switched the machine off after \d+ s \(`timeout`\); .*console:\ninstalling$/s],
    ['anew', /: the installer starts the machine anew: .*; the end of its console:\ninstalling$/s],
  ] as const) {
    const file = await tinyIso(root, ending);
    let fault = new Error();
    for (const timeout of limits[ending]) {
      if (message.test(fault.message)) break;
      const { ensure, left } = imageOf(root, { file }, { timeout });
      fault = await ensure().then(assert.fail, (error: Error) => error);
      assert.deepEqual(await left(), [], ending);
    }
    assert.match(fault.message, message);
    assert.equal((fault as Error & { type?: string }).type, 'Configuration');
  }
});

test('I10: answers that change while a disk is installed by them leave none', async (t) => {
  const root = await scratch(t);
  const { ensure, left } = imageOf(root, { file: await tinyIso(root, 'off') });
  const change = (line: string) => {
    if (line.startsWith('installing')) writeFileSync(join(root, 'answers', 'ks.cfg'), 'reboot\n');
  };
  await assert.rejects(ensure(change), { message: /iso-off\.iso: its answers were written to/, type: 'Configuration' });
  assert.deepEqual(await left(), []);
});

test('I10: what installs nothing is refused before a machine starts', async (t) => {
  const root = await scratch(t);
  const iso = await tinyIso(root, 'off', { linux: 'text' });
  const refuses = async (reason: RegExp, image: Partial<DiskImage>, install: Partial<Installation> = {}) => {
    const { ensure, left } = imageOf(root, image, install);
    await assert.rejects(ensure(), reason);
    assert.deepEqual(await left().catch(() => []), []);
  };
  await refuses(/has the SHA-256 [0-9a-f]{64}, and not a{64} as configured/, { file: iso, sha256: 'a'.repeat(64) });
  await writeFile(join(root, 'text.iso'), 'text');
  await refuses(/text\.iso is no ISO image$/, { file: join(root, 'text.iso') });
  await refuses(/there is no room in .*: 1125899906842624 bytes are needed/, { file: iso }, { size: 2 ** 50 });
  await refuses(/the answers .*nowhere cannot be read: ENOENT/, { file: iso }, { answers: join(root, 'nowhere') });
  const boot = { kernel: '/linux', initrd: '/initrd', append: '' };
  await refuses(/there is no \/initrd in the image .*iso-off\.iso/, { file: iso }, { boot });
  assert.ok((await stat(iso)).isFile());
});
