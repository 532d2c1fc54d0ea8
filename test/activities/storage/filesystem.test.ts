import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { createFileLogStore } from '../../../activities/storage/filesystem/log-store.ts';
import { NoSuchBlob } from '../../../activities/storage/no-such-blob.ts';

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-storage-'));
});
after(() => rm(root, { recursive: true }));

const baseUrl = 'http://sluice.example';

describe('the blob store', () => {
  it('names content by its digest and keeps it once', async () => {
    const store = createFileBlobStore({ root, baseUrl });
    await writeFile(join(root, 'input'), 'hello');
    const digest = `sha256:${createHash('sha256').update('hello').digest('hex')}`;
    const refs = await Promise.all([
      store.put('hello'),
      store.put(Buffer.from('hello')),
      store.put({ path: join(root, 'input') }),
    ]);
    assert.deepEqual(refs, Array(3).fill({ digest, size: 5 }));
    assert.deepEqual(await readdir(join(root, 'blobs', 'incoming')), []);
    assert.equal(await text(await store.open(digest)), 'hello');
    assert.equal((await store.read(digest)).toString(), 'hello');
    assert.equal(await store.has(digest), true);
  });

  it('fetches by hard link, so that a fetch costs no space', async () => {
    const store = createFileBlobStore({ root, baseUrl });
    const { digest } = await store.put('linked');
    await store.fetch(digest, join(root, 'fetched'));
    const found = await stat(join(root, 'fetched'));
    assert.equal(found.nlink, 2);
    assert.equal(found.mode & 0o222, 0, 'nobody writes through the link');
  });

  it('says which content is missing', async () => {
    const store = createFileBlobStore({ root, baseUrl });
    const digest = `sha256:${'0'.repeat(64)}`;
    assert.equal(await store.has(digest), false);
    await assert.rejects(store.open(digest), NoSuchBlob);
    await assert.rejects(store.read(digest), NoSuchBlob);
    await assert.rejects(store.fetch(digest, join(root, 'nothing')), NoSuchBlob);
  });

  it('leaves nothing behind when the content cannot be read to its end', async () => {
    const store = createFileBlobStore({ root, baseUrl });
    await mkdir(join(root, 'directory'));
    await assert.rejects(store.put({ path: join(root, 'directory') }), /no regular file/);
    assert.deepEqual(await readdir(join(root, 'blobs', 'incoming')), []);
  });

  it('R1: takes what it was given a path to, if that is a regular file of the size that was said', async () => {
    const store = createFileBlobStore({ root, baseUrl });
    await writeFile(join(root, 'canary'), 'nothing for strangers', { mode: 0o600 });
    await symlink(join(root, 'canary'), join(root, 'a-link'));
    await promisify(execFile)('mkfifo', [join(root, 'a-pipe')]);
    await assert.rejects(store.put({ path: join(root, 'a-link') }), /a-link is a link/);
    await assert.rejects(store.put({ path: join(root, 'a-pipe') }), /a-pipe is no regular file/);
    await assert.rejects(store.put({ path: '/dev/zero' }), /no regular file/);
    await assert.rejects(store.put({ path: join(root, 'canary'), size: 3 }), /has 21 bytes, not 3/);
    assert.equal((await store.put({ path: join(root, 'canary'), size: 21 })).size, 21);
    assert.deepEqual(await readdir(join(root, 'blobs', 'incoming')), []);
  });

  it('R1: refuses a file that grows while it is stored', async () => {
    const store = createFileBlobStore({ root, baseUrl });
    const path = join(root, 'growing');
    await writeFile(path, Buffer.alloc(1024 * 1024));
    const file = await open(path, 'a');
    let growing = true;
    const grow = (async () => {
      while (growing) await file.write(Buffer.alloc(64 * 1024));
    })();
    await assert.rejects(store.put({ path }), /has changed while it was stored/);
    growing = false;
    await grow;
    await file.close();
    assert.deepEqual(await readdir(join(root, 'blobs', 'incoming')), []);
  });

  it('keeps nothing of content that the disk does not take', async () => {
    const full = join(root, 'full');
    const module = new URL('../../../activities/storage/filesystem/blob-store.ts', import.meta.url).href;
    const script = `const { createFileBlobStore } = await import(${JSON.stringify(module)});
      const store = createFileBlobStore({ root: process.argv[1], baseUrl: '' });
      await store.put('x'.repeat(1_000_000)).catch(({ code }) => console.log(code));`;
    const limited = ['--fsize=65536', process.execPath, '--input-type=module', '--eval', script, full];
    const { stdout } = await promisify(execFile)('prlimit', limited);
    assert.equal(stdout, 'EFBIG\n');
    const left = await readdir(full, { recursive: true, withFileTypes: true });
    assert.deepEqual(
      left.filter((entry) => entry.isFile()),
      [],
    );
  });

  for (const digest of ['sha256:../../../etc/passwd', 'md5:d41d8cd98f00b204e9800998ecf8427e', '']) {
    it(`refuses ${JSON.stringify(digest)} as a digest`, async () => {
      const store = createFileBlobStore({ root, baseUrl });
      await assert.rejects(async () => store.read(digest), /digest|Invalid/i);
    });
  }

  it('escapes hostile file names in URLs', () => {
    const store = createFileBlobStore({ root, baseUrl });
    const digest = `sha256:${'a'.repeat(64)}`;
    assert.equal(store.url(digest, 'a b/../c'), `${baseUrl}/api/artifacts/${'a'.repeat(64)}/a%20b%2F..%2Fc`);
  });
});

describe('the log store', () => {
  it('is readable while it is written, and complete when it is closed', async () => {
    const logs = createFileLogStore({ root, baseUrl });
    const log = await logs.open('b-1', 'build.log');
    log.section('Install build dependencies');
    log.write('half a line');
    log.section('Build');
    assert.deepEqual(await logs.list('b-1'), [{ name: 'build.log', complete: false }]);
    const artifact = await log.close();
    assert.equal(artifact.url, `${baseUrl}/api/builds/b-1/log?name=build.log`);
    assert.deepEqual(await logs.list('b-1'), [{ name: 'build.log', complete: true }]);
    const kept = await logs.find('b-1', 'build.log');
    const lines = (await text(kept?.read() ?? Readable.from([]))).trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => /^=== \[\d\d:\d\d:\d\d\] (.*)$/.exec(line)?.[1] ?? line),
      ['Install build dependencies', 'half a line', 'Build'],
    );
  });

  it('continues the log of an attempt that was killed or ended', async () => {
    const logs = createFileLogStore({ root, baseUrl });
    const killed = await logs.open('b-2', 'build.log');
    killed.write('first\n');
    await killed.close();
    const second = await logs.open('b-2', 'build.log');
    second.write('second\n');
    await second.close();
    const kept = await logs.find('b-2', undefined);
    assert.equal(await text(kept?.read() ?? Readable.from([])), 'first\nsecond\n');
  });

  it('R15: cuts a log that has no end with a line that names limit and setting, and still shows the verdict', async () => {
    const logs = createFileLogStore({ root, baseUrl, limit: 10_000 });
    const log = await logs.open('endless-1', 'build.log');
    log.section('Build');
    for (let line = 0; line < 1_000; line++) log.write(`line ${line} of many\n`);
    log.section('FAILURE: killed');
    await log.close();
    const kept = await logs.find('endless-1', 'build.log');
    const lines = (await text(kept?.read() ?? Readable.from([]))).trimEnd().split('\n');
    assert.match(lines.at(-1) ?? '', /FAILURE: killed$/);
    assert.match(lines.at(-2) ?? '', /Cut: a log may have 10000 bytes \(workers\.log in sluice\.yaml\)$/);
    assert.ok(lines.length < 700, `${lines.length} lines`);
  });

  it('refuses names that would leave the directory', async () => {
    const logs = createFileLogStore({ root, baseUrl });
    for (const [build, name] of [
      ['../x', 'build.log'],
      ['b', '../build.log'],
      ['b', '-rf'],
      ['b', 'a b'],
      ['b', 'log.part'],
    ] as const) {
      await assert.rejects(logs.open(build, name), /not a (build id|log name)/);
    }
    assert.deepEqual(await logs.list('../..'), []);
  });

  it('says so when its directory cannot be made', async () => {
    const logs = createFileLogStore({ root: '/dev/full', baseUrl });
    await assert.rejects(logs.open('b', 'build.log'), /ENOTDIR/);
  });
});
