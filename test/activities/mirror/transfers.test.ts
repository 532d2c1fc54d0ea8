import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { recordTools } from '../../../activities/process/timing.ts';
import { recordCalls } from './calls.ts';
import { mirrorWorld, putAhead, type World } from './world.ts';

test('a sync makes no more calls than it must: each costs programs and a turn over the network', async (t) => {
  const world = await mirrorWorld(t);
  const daemon = await world.daemon('m2');
  const remote = await world.remote('m3');
  // Of the host's own programs none is counted but what it is called by.
  const calls = recordCalls(t, world, ['rsync', 'sh', 'ssh']);
  const own = (call: string) => !/^rsync --server|^sh -c/.test(call);
  // A shell runs one script after another.
  const rows = [
    { url: world.local('m1'), by: /^(?:rsync|sh)/, changed: [12, 3], unchanged: [2, 1] },
    { url: daemon.url, by: /^rsync/, changed: [13, 13], unchanged: [2, 2] },
    { url: remote.url, by: /^ssh/, changed: [13, 8], unchanged: [2, 2] },
  ] as const;
  for (const { url, by, changed, unchanged } of rows) {
    const set = world.set({ hosts: { m1: { url } } });
    const count = async () => {
      calls.forget();
      const begun = performance.now();
      const { value, tools } = await recordTools(() => world.sync(set));
      // The lock is renewed each 40 s: it is read and written.
      const renewing = 2 * Math.floor((performance.now() - begun) / 40_000);
      const made = calls.all().filter((call) => by.test(call) && own(call));
      const turns = tools.filter(({ tool }) => /^(?:rsync|sh|ssh)$/.test(tool)).length;
      return { outcome: value.outcome, made, turns, renewing };
    };
    const name = new URL(url, 'file:').protocol.slice(0, -1);
    await world.publish(`first-${name}`, '1');
    await count();
    await world.publish(`second-${name}`, '1');
    const sent = await count();
    assert.equal(sent.outcome, 'committed');
    for (const [number, wanted] of [
      [sent.turns, changed[0]],
      [sent.made.length, changed[1]],
    ] as const)
      assert.ok(number >= wanted && number <= wanted + sent.renewing, `${number}\n${sent.made.join('\n')}`);
    const again = await count();
    assert.deepEqual(
      [again.outcome, again.turns, again.made.length],
      ['unchanged', ...unchanged],
      again.made.join('\n'),
    );
  }
  // Its other name carries its hash.
  const list = join(world.local('m1'), 'stable/dists/bookworm/main/binary-amd64/Packages');
  assert.equal((await stat(list)).nlink, 2, 'sent once');
});

/** Has a script in the place of a program: it sees the arguments, and `real` is the program itself. */
async function putBefore(t: TestContext, world: World, name: string, script: string): Promise<void> {
  const bin = world.local('bin');
  await mkdir(bin);
  const real = (await must('which', [name])).stdout.trim();
  await writeFile(join(bin, name), `#!/bin/sh\nreal=${real}\n${script}\n`, { mode: 0o755 });
  putAhead(t, bin);
}

/** Waits in a script for a file, a minute at most. */
const waitFor = (path: string) => `for turn in $(seq 600); do [ -e '${path}' ] && break; sleep 0.1; done`;

test('what stands in a new snapshot and whose the lock is are asked for in one turn', async (t) => {
  const world = await mirrorWorld(t);
  const daemon = await world.daemon('m1');
  const set = world.set({ layout: 'pool', hosts: { m1: { url: daemon.url } } });
  await world.publish('alpha', '1');
  await world.sync(set);
  // The lock is looked at for no other reason.
  t.mock.timers.enable({ apis: ['setInterval'] });
  const asked = world.local('asked');
  const script = `
case "$*" in
  *--hard-links*) rm -f '${asked}' ;;
  *--ignore-missing-args*) : >'${asked}' ;;
  *--list-only*/snapshots/deb-*) ${waitFor(asked)}; [ -e '${asked}' ] || exit 1 ;;
esac
exec "$real" "$@"`;
  await putBefore(t, world, 'rsync', script);
  await world.publish('beta', '1');
  const { outcome, hosts } = await world.sync(set);
  assert.equal(outcome, 'committed', JSON.stringify(hosts));
});

test('a host is locked while the source is checked, and not for a source that is shown already', async (t) => {
  const world = await mirrorWorld(t);
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  await world.publish('alpha', '1');
  await world.sync(set);
  const [key, seen] = [world.local('key'), world.local('seen')];
  await writeFile(key, '');
  const lock = join(world.local('m1'), 'snapshots/.deb.lock');
  const gpg = `[ -e '${key}.wait' ] && ${waitFor(lock)}; [ ! -e '${lock}' ] || : >'${seen}'; exit 1`;
  await putBefore(t, world, 'gpg', gpg);
  const checked = { ...set, verify: { key } };
  assert.deepEqual([(await world.sync(checked)).outcome, existsSync(seen)], ['failed', false]);
  await writeFile(`${key}.wait`, '');
  await world.publish('beta', '1');
  assert.deepEqual([(await world.sync(checked)).outcome, existsSync(seen)], ['failed', true]);
});
