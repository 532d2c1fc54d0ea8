import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { MirrorHostConfig } from '../../../activities/mirror/types.ts';
import { startSshServer } from './sshd.ts';
import { contentOf, mirrorWorld, type World } from './world.ts';

const directory = await mkdtemp(join(tmpdir(), 'sluice-sshd-'));
process.env.TMPDIR = directory;
const server = await startSshServer(directory);

after(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

type Kind = 'local' | 'ssh' | 'sftp';

/** A source without indexes, in which anything may stand, and a set with one host. */
async function open(world: World, kind: Kind) {
  const source = world.local('source');
  const root = world.local('m1');
  const { port, identity, knownHosts } = server;
  const hosts: Record<Kind, MirrorHostConfig> = {
    local: { url: root },
    ssh: { url: `ssh://root@127.0.0.1:${port}${root}`, identity, knownHosts },
    sftp: server.sftp(root),
  };
  const set = world.set({ source, timeout: 60, hosts: { m1: hosts[kind] } });
  const write = async (path: string, text: string) => {
    await mkdir(join(source, path, '..'), { recursive: true });
    await writeFile(join(source, path), text);
    await utimes(join(source, path), 1_700_000_000, 1_700_000_000);
  };
  const sync = async () => {
    const result = await world.sync(set);
    assert.equal(result.outcome, 'committed', JSON.stringify(result));
    const snapshot = join(root, 'snapshots', result.snapshot ?? '');
    return { ...result, place: snapshot, report: await readFile(`${snapshot}.diff.txt`, 'utf8') };
  };
  return { source, root, set, write, sync };
}

const inode = async (path: string) => (await lstat(path)).ino;

for (const kind of ['local', 'ssh', 'sftp'] as const) {
  test(`T03 T04: what differs is sent, and nothing else, on ${kind}`, async (t) => {
    const world = await mirrorWorld(t);
    const { source, write, sync } = await open(world, kind);
    for (const path of ['same', 'changed', 'alike', 'gone', "a dir/it's $(x) [a]*", 'old/deep/file']) {
      await write(path, `${path}, first`);
    }
    await mkdir(join(source, 'empty'));
    await symlink('same', join(source, 'link'));
    await symlink('same', join(source, 'lost'));
    const first = await sync();
    const before = await contentOf(first.place);
    await write('changed', 'changed, and longer');
    // Of the same size and time: only its content tells.
    await write('alike', 'alike, other');
    await write('new/deep/file', 'new');
    for (const path of ['gone', 'old', 'empty', 'link', 'lost']) await rm(join(source, path), { recursive: true });
    await symlink('changed', join(source, 'link'));
    await mkdir(join(source, 'void'));
    const second = await sync();
    const now = await contentOf(second.place);
    assert.deepEqual(now, await contentOf(source));
    for (const path of ['old', 'empty']) await assert.rejects(lstat(join(second.place, path)), { code: 'ENOENT' });
    assert.ok((await lstat(join(second.place, 'void'))).isDirectory());
    assert.deepEqual(await contentOf(first.place), before);
    assert.equal(await inode(join(second.place, 'same')), await inode(join(first.place, 'same')));
    assert.equal(second.hosts.m1?.files, 3);
    // Over SFTP nothing is copied first of which something would have to go.
    if (kind !== 'sftp') assert.match(second.report, /deleting +gone/);
  });

  test(`T17: a copy of what was changed on ${kind} is made whole`, async (t) => {
    const world = await mirrorWorld(t);
    const { source, write, sync } = await open(world, kind);
    for (const path of ['one', 'two', 'dir/three']) await write(path, path);
    const first = await sync();
    await writeFile(join(first.place, 'more'), 'never sent');
    await chmod(join(first.place, 'one'), 0o600);
    await chmod(join(first.place, 'dir'), 0o700);
    await rm(join(first.place, 'two'));
    await write('four', 'four');
    assert.deepEqual(await contentOf((await sync()).place), await contentOf(source));
  });
}

test('what turns from a file into a directory, or back, is sent as a whole', async (t) => {
  const world = await mirrorWorld(t);
  const { source, write, sync } = await open(world, 'local');
  await write('a', 'file');
  await write('b/c', 'file');
  await sync();
  await rm(join(source, 'a'));
  await rm(join(source, 'b'), { recursive: true });
  await write('a/c', 'file');
  await write('b', 'file');
  assert.deepEqual(await contentOf((await sync()).place), await contentOf(source));
});

test('an account that may run rsync alone is served without a shell', async (t) => {
  const world = await mirrorWorld(t);
  const { source, write, sync } = await open(world, 'ssh');
  const key = join(directory, 'an id.pub');
  const given = await readFile(key, 'utf8');
  t.after(() => writeFile(key, given));
  const forced = join(directory, 'forced');
  const lines = ['#!/bin/sh', `echo "$SSH_ORIGINAL_COMMAND" >>${forced}.log`, 'case "$SSH_ORIGINAL_COMMAND" in'];
  lines.push('rsync\\ *) exec $SSH_ORIGINAL_COMMAND ;;', 'esac', 'echo refused >&2', 'exit 1', '');
  await writeFile(forced, lines.join('\n'), { mode: 0o755 });
  await writeFile(key, `command="${forced}" ${given}`);
  await write('one', 'one');
  const first = await sync();
  await write('two', 'two');
  const second = await sync();
  assert.deepEqual(await contentOf(second.place), await contentOf(source));
  assert.equal(await inode(join(second.place, 'one')), await inode(join(first.place, 'one')));
  const asked = (await readFile(`${forced}.log`, 'utf8')).split('\n');
  // Once for each command.
  assert.deepEqual([asked.filter((line) => line === 'sh').length, second.hosts.m1?.files], [2, 1]);
});
