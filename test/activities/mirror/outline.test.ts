import assert from 'node:assert/strict';
import { mkdir, readlink, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openHost } from '../../../activities/mirror/host.ts';
import { isAsNoted } from '../../../activities/mirror/outline.ts';
import { openSetState } from '../../../activities/mirror/state.ts';
import { mirrorWorld } from './world.ts';

for (const layout of ['pool', 'snapshots'] as const) {
  for (const kind of ['a directory', 'a remote shell'] as const) {
    test(`what was sent to ${kind} is known again by one word, and any change is seen: ${layout}`, async (t) => {
      const world = await mirrorWorld(t);
      const { url, root } =
        kind === 'a directory' ? { url: world.local('m1'), root: world.local('m1') } : await world.remote('m1');
      await world.publish('alpha', '1');
      const source = await world.plain();
      await mkdir(join(source, 'ödd -> names'));
      for (const name of [' blank', "it's", 'z', 'Z', 'a-b', 'a', '\u{1f600}']) {
        await writeFile(join(source, 'ödd -> names', name), name);
      }
      await symlink('../z', join(source, 'ödd -> names/link'));
      const set = world.set({ source, layout, hosts: { m1: { url } } });
      const { snapshot, outcome } = await world.sync(set);
      assert.equal(outcome, 'committed');
      const host = openHost(set, 'm1');
      const isKnown = async () => isAsNoted(host, await openSetState(set, world.context), snapshot ?? '');
      assert.equal(await isKnown(), true);
      assert.equal((await world.sync(set)).outcome, 'unchanged');
      const place = join(root, 'snapshots', snapshot ?? '');
      const deb = join(place, 'pool/main/a/alpha/alpha_1_all.deb');
      const link = join(place, 'ödd -> names/link');
      const text = await readlink(link);
      const { atime, mtime } = await stat(deb);
      const changes: readonly (readonly [change: () => Promise<unknown>, back: () => Promise<unknown>])[] = [
        [() => utimes(deb, atime, new Date(0)), () => utimes(deb, atime, mtime)],
        [() => rename(deb, `${deb}.old`), () => rename(`${deb}.old`, deb)],
        [() => writeFile(`${deb}.new`, ''), () => rm(`${deb}.new`)],
        [() => rm(link).then(() => symlink('z', link)), () => rm(link).then(() => symlink(text, link))],
        [() => rename(place, `${place}.gone`), () => rename(`${place}.gone`, place)],
      ];
      for (const [change, back] of changes) {
        await change();
        assert.equal(await isKnown(), false, String(change));
        await back();
        assert.equal(await isKnown(), true, String(back));
      }
      await host.transport.close();
    });
  }
}

/** A set of one host behind a remote shell, and its `find`, which is as slow as a test says where an outline is asked. */
async function slowWorld(t: TestContext) {
  const world = await mirrorWorld(t);
  const { url, root } = await world.remote('m1');
  await world.publish('alpha', '1');
  const set = world.set({ timeout: 30, hosts: { m1: { url } } });
  const program = (name: string, lines: readonly string[]) =>
    writeFile(join(`${root}.bin`, name), ['#!/bin/bash', ...lines, ''].join('\n'), { mode: 0o755 });
  const find = (slow: string) =>
    program('find', [`case "$*" in *'-type d -o'*) ${slow} ;; esac`, 'exec /usr/bin/find "$@"']);
  return { world, set, find, program, state: () => openSetState(set, world.context) };
}

test('a host that takes longer than the timeout to say how it stands is waited for while it goes on', async (t) => {
  const { world, set, find, program, state } = await slowWorld(t);
  const { snapshot } = await world.sync(set);
  await find('for i in 1 2 3 4 5 6 7; do seq 2000; sleep 0.5; done');
  // As ssh does, it reads itself what the host says, and says it again.
  const shifts = 'while [ "$1" = -o ] || [ "$1" = -p ] || [ "$1" = -l ]; do shift 2; done; shift';
  const reads = 'exec 3>&1 4<&0; while read -r line; do echo "$line" >&2; done < <(sh -c "$*" 2>&1 >&3 <&4)';
  await program('ssh', ['[ "$1" = -G ] && exec /usr/bin/ssh "$@"', shifts, reads]);
  const host = openHost({ ...set, timeout: 3 }, 'm1');
  assert.equal(await isAsNoted(host, await state(), snapshot ?? ''), false);
  await host.transport.close();
});

test('a host that does not say in time how it stands is listed, and not asked again until something is sent', async (t) => {
  const { world, set, find, state } = await slowWorld(t);
  await world.sync(set);
  assert.deepEqual(Object.keys(await (await state()).outlines()), ['m1']);
  await find('exec sleep 60');
  for (const _ of ['asked', 'listed']) {
    const { outcome } = await world.sync({ ...set, timeout: 4 });
    assert.equal(outcome, 'unchanged');
    assert.deepEqual(await (await state()).outlines(), {});
  }
  await world.publish('beta', '1');
  await world.sync(set);
  assert.deepEqual(Object.keys(await (await state()).outlines()), ['m1']);
});

test('a note that cannot be read or written fails no sync', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  const { directory } = await openSetState(set, world.context);
  const path = join(directory, 'outlines.json');
  await mkdir(path);
  const { outcome, snapshot } = await world.sync(set);
  assert.equal(outcome, 'committed');
  assert.match(world.said.join('\n'), /warning: the next sync takes longer to see that nothing changed: EISDIR/);
  assert.equal((await world.sync(set)).outcome, 'unchanged');
  await rm(path, { recursive: true });
  // It does not stand as is noted, so that this is noted again, where nothing can be read.
  await writeFile(path, JSON.stringify({ m1: { snapshot, own: '', pool: null } }));
  assert.equal((await world.sync(set)).outcome, 'unchanged');
  assert.equal((await world.sync(set)).outcome, 'unchanged');
  await writeFile(path, '{');
  assert.equal((await world.sync(set)).outcome, 'unchanged');
});
