import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../../../activities/process/lock.ts';
import { must } from '../../../activities/process/run.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { removeDisks } from '../../../infra/images/vm/disks.ts';
import { vmImages } from '../../../infra/images/vm/images.ts';
import type { DiskImage, Platform } from '../../../pipelines/model/platform.ts';

const MiB = 1024 ** 2;

async function scratch(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-given-'));
  t.after(() => rm(root, { recursive: true }));
  return root;
}

/** A qcow2 disk of 3 MiB with something on it. */
async function makeDisk(root: string, content = 1): Promise<Buffer> {
  await writeFile(join(root, 'raw'), Buffer.alloc(3 * MiB, content));
  await must('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', join(root, 'raw'), join(root, 'disk.qcow2')]);
  return readFile(join(root, 'disk.qcow2'));
}

const sizeOf = async (path: string) => (await stat(path).catch(() => ({ size: 0 }))).size;
const digestOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

async function serve(t: TestContext, answer: Answer): Promise<string> {
  const server = createServer((request, response) => void answer(request, response));
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The images of a platform that names a disk. */
function imagesOf(root: string, image: Partial<DiskImage>) {
  const given = { maxSize: 20 * MiB, ...image };
  const platform = { ...builtInPlatforms[0], name: 'given', provider: 'vm', image: given } as Platform;
  const images = vmImages(join(root, 'vm'), [platform]);
  const said: string[] = [];
  const run = { signal: AbortSignal.timeout(600_000), tell: (line: string) => void said.push(line) };
  const left = () => readdir(join(root, 'vm', 'disks')).then((names) => names.filter((name) => name !== '.lock'));
  return { ensure: () => images.ensureImage(platform, run), now: () => images.imageNow(platform), images, said, left };
}

test('I10: a disk is fetched once, goes on where its connection was lost, and is kept by its digest', async (t) => {
  const root = await scratch(t);
  const content = await makeDisk(root);
  const ranges: (string | undefined)[] = [];
  const url = await serve(t, async ({ headers }, response) => {
    ranges.push(headers.range);
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    const rest = content.subarray(from);
    const range = from === 0 ? {} : { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
    response.writeHead(from === 0 ? 200 : 206, { 'content-length': rest.length, ...range });
    if (ranges.length > 2) return void response.end(rest);
    response.write(rest.subarray(0, MiB));
    const part = join(root, 'vm', 'disks', `.${digestOf(content)}.part`);
    while ((await sizeOf(part)) <= from) await sleep(10);
    response.destroy();
  });
  const { ensure, now, said, left } = imagesOf(root, { url: `${url}/d.qcow2?key=hidden`, sha256: digestOf(content) });
  const images = await Promise.all([ensure(), ensure()]);
  assert.equal(images[0], images[1]);
  assert.equal(await now(), images[0]);
  assert.equal(await ensure(), images[0]);
  assert.equal(ranges.length, 3, 'whoever comes second waits, and fetches nothing');
  assert.match(ranges.slice(1).join(' '), /^bytes=\d+- bytes=\d+-$/);
  assert.ok(!said.join('\n').includes('hidden'), 'what is asked for may be a key');
  assert.deepEqual(await left(), [digestOf(content)]);
  assert.deepEqual(await readFile(join(images[0] ?? '', 'disk')), Buffer.alloc(3 * MiB, 1), 'it is written out');
});

test('I10: what a killed process has fetched is gone on with, and a server that knows no ranges begins again', async (t) => {
  const root = await scratch(t);
  const content = await makeDisk(root);
  const url = await serve(t, (_, response) => response.end(content));
  const sha256 = digestOf(content);
  const { ensure, left } = imagesOf(root, { url: `${url}/d.qcow2`, sha256 });
  await mkdir(join(root, 'vm', 'disks'), { recursive: true });
  await writeFile(join(root, 'vm', 'disks', `.${sha256}.part`), content.subarray(0, 1000));
  await ensure();
  assert.deepEqual(await left(), [sha256]);
});

test('I10: what is no disk for a machine is refused by name, and leaves nothing', async (t) => {
  const root = await scratch(t);
  const content = await makeDisk(root);
  const changed = (at: number, bytes: readonly number[]) => {
    const copy = Buffer.from(content);
    copy.set(bytes, at);
    return copy;
  };
  await must('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', '/etc/passwd', join(root, 'over'), '1M']);
  await must('qemu-img', [
    'create',
    '-q',
    '-f',
    'qcow2',
    '-o',
    `data_file=${join(root, 'data')}`,
    join(root, 'data.qcow2'),
    '1M',
  ]);
  await must('qemu-img', ['create', '-q', '-f', 'qcow2', join(root, 'huge'), '1T']);
  const iso = Buffer.alloc(64 * 1024);
  iso.write('CD001', 32_769);
  iso.set([0x55, 0xaa], 510);
  const bad: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
    over: [await readFile(join(root, 'over')), /stands on a backing file, which would be a file of this host$/],
    data: [await readFile(join(root, 'data.qcow2')), /has its data in another file/],
    iso: [iso, /is no qcow2 disk, but an ISO image: name it as `iso`/],
    page: [Buffer.from('<!DOCTYPE html>'), /is no qcow2 disk, but a web page$/],
    xz: [Buffer.from('\xfd7zXZ\0', 'latin1'), /but compressed with xz: unpack it first$/],
    raw: [changed(510, [0x55, 0xaa]).fill(0, 0, 4), /but a raw disk: make a qcow2 of it with qemu-img convert$/],
    empty: [Buffer.alloc(0), /is no qcow2 disk$/],
    short: [content.subarray(0, 60), /is cut off/],
    secret: [changed(35, [2]), /is encrypted$/],
    broken: [changed(40, [0xff, 0xff, 0xff]), /is a qcow2 disk that QEMU cannot read: [A-Z][^/]+$/],
    huge: [await readFile(join(root, 'huge')), /is a disk of \d+ bytes, and `maxSize` is 20971520$/],
  };
  const url = await serve(t, ({ url: path = '' }, response) => response.end(bad[path.slice(1)]?.[0]));
  for (const [name, [body, reason]] of Object.entries(bad)) {
    const { ensure, left } = imagesOf(root, { url: `${url}/${name}`, sha256: digestOf(body) });
    await assert.rejects(ensure(), { message: reason, type: 'Configuration' }, name);
    assert.deepEqual(await left(), [], name);
  }
});

test('I10: what cannot be fetched is told with its reason', async (t) => {
  const root = await scratch(t);
  const content = await makeDisk(root);
  const sha256 = digestOf(content);
  const url = await serve(t, ({ url: path = '' }, response) => {
    if (path === '/gone') response.writeHead(404).end();
    else if (path === '/tired') response.writeHead(503).end();
    else if (path === '/vast') response.writeHead(200, { 'content-length': '900000000000000' }).write('x');
    else if (path === '/endless') {
      const more = () => response.write(Buffer.alloc(MiB), more);
      more();
    } else response.end(content);
  });
  const failure = (path: string, more: Partial<DiskImage> = {}) => {
    const { ensure } = imagesOf(root, { url: `${url}${path}`, sha256, ...more });
    return ensure().then(assert.fail, (error: Error & { type?: string }) => [
      error.message.replace(url, ''),
      error.type,
    ]);
  };
  assert.deepEqual(await failure('/gone'), [
    '/gone cannot be fetched: the server answers 404 Not Found',
    'Configuration',
  ]);
  assert.match(
    String(await failure('/tired')),
    /^\/tired cannot be fetched: the server answers 503 Service Unavailable,$/,
  );
  assert.deepEqual(await failure('/endless'), [
    '/endless has more than the 20971520 bytes of `maxSize`',
    'Configuration',
  ]);
  assert.match(
    String(await failure('/vast', { maxSize: 2 ** 60 })),
    /there is no room in .*: 900000000000000 bytes are needed/,
  );
  const wrong = await failure('/other', { sha256: 'a'.repeat(64) });
  assert.equal(wrong[1], 'Configuration');
  assert.match(String(wrong[0]), new RegExp(`^/other has the SHA-256 ${sha256}, and not a{64} as configured`));
  const nobody = imagesOf(root, { url: 'http://127.0.0.1:1/d.qcow2', sha256 });
  await assert.rejects(nobody.ensure(), /^Error: http:\/\/127\.0\.0\.1:1\/d\.qcow2 cannot be fetched: /);
});

test('I10: a file that changes makes another image, and what nothing is made of any more goes', async (t) => {
  const root = await scratch(t);
  await makeDisk(root);
  const { ensure, now, left, images } = imagesOf(root, { file: join(root, 'disk.qcow2') });
  const first = await ensure();
  assert.equal(await now(), first);
  await makeDisk(root, 2);
  assert.notEqual(await now(), first);
  const second = await ensure();
  assert.notEqual(second, first);
  assert.equal((await left()).length, 2);
  const old = new Date(Date.now() - 2 * 86_400_000);
  for (const image of [first, second]) await utimes(image, old, old);
  for (const name of await left()) await utimes(join(root, 'vm', 'disks', name), old, old);
  assert.deepEqual(await images.removeImages([]), [first.split('/').at(-1)]);
  assert.equal((await left()).length, 1);
  await rm(join(root, 'disk.qcow2'));
  await assert.rejects(now(), {
    message: /^the image .*disk\.qcow2 cannot be read: ENOENT: no such file or directory$/,
    type: 'Configuration',
  });
  await removeDisks(join(root, 'nowhere'), 0);
});

test('I10: a file that changes while another disk is made is taken as it is then', async (t) => {
  const root = await scratch(t);
  await makeDisk(root);
  const { ensure, left } = imagesOf(root, { file: join(root, 'disk.qcow2') });
  const disks = join(root, 'vm', 'disks');
  await mkdir(disks, { recursive: true });
  const waiting = await withLock(join(disks, '.lock'), 10, async () => {
    const made = ensure();
    await sleep(300);
    await makeDisk(root, 2);
    return { made };
  });
  await waiting.made;
  assert.deepEqual(await left(), [digestOf(await readFile(join(root, 'disk.qcow2')))]);
});

test('I10: what cloud-init reads has the programs, the keys and the archives, and the client’s private key is not in it', async (t) => {
  const root = await scratch(t);
  await makeDisk(root);
  const { ensure } = imagesOf(root, { file: join(root, 'disk.qcow2') });
  const image = await ensure();
  assert.deepEqual((await readdir(image)).sort(), ['client', 'client.pub', 'disk', 'machine', 'machine.pub', 'seed']);
  assert.equal((await stat(join(image, 'seed'))).size, MiB);
  const read = (path: string) =>
    must('isoinfo', ['-R', '-i', join(image, 'seed'), '-x', path]).then(({ stdout }) => stdout);
  assert.match(await read('/user-data'), /^#cloud-config\n\{.*begin\.sh/);
  assert.match(await read('/network-config'), /"dhcp4":true/);
  assert.equal(await read('/sluice/keys/client.pub'), await readFile(join(image, 'client.pub'), 'utf8'));
  assert.match(await read('/sluice/guest/serve'), /^#!\/usr\/bin\/perl/);
  const seed = await readFile(join(image, 'seed'), 'latin1');
  const secret = (await readFile(join(image, 'client'), 'utf8')).split('\n')[2] ?? '';
  assert.ok(secret.length > 40 && !seed.includes(secret));
});

test('I10: a disk that needs no cloud-init has the keys that are given, and no seed', async (t) => {
  const root = await scratch(t);
  await makeDisk(root);
  await writeFile(join(root, 'key'), 'a private key\n');
  const hostKey = 'ssh-ed25519 AAAA';
  const { ensure } = imagesOf(root, { file: join(root, 'disk.qcow2'), key: { file: join(root, 'key') }, hostKey });
  const image = await ensure();
  assert.deepEqual((await readdir(image)).sort(), ['client', 'disk', 'machine.pub']);
  assert.equal(await readFile(join(image, 'machine.pub'), 'utf8'), `${hostKey}\n`);
  const file = await open(join(image, 'client'));
  assert.equal((await file.stat()).mode & 0o777, 0o600);
  await file.close();
});
