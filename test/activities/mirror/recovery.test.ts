import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mirrorStatus } from '../../../activities/mirror/inspect.ts';
import type { MirrorSet } from '../../../activities/mirror/types.ts';
import { makeTemporary } from '../../../activities/process/temporary.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { createGpgSigner } from '../../../activities/sign/gpg.ts';
import { closeAgent, exportPublicKey, openKey } from '../../../activities/sign/key.ts';
import { makePackage } from '../repository/packages.ts';
import { startKinds } from './kinds.ts';
import { look, mirrorWorld, type World } from './world.ts';

const { host } = await startKinds();

/** A program, and a pattern for where it is started and its arguments. */
type Start = readonly [program: 'rsync' | 'mv' | 'ln' | 'sha256sum', pattern: string];

/** Starts a synchronisation whose process is killed the moment it starts a program, itself or by a shell. */
async function killAt(world: World, set: MirrorSet, [program, pattern]: Start): Promise<void> {
  const bin = world.local('bin');
  await mkdir(bin, { recursive: true });
  const script = [
    '#!/bin/sh',
    `node='${await realpath(process.execPath)}'`,
    'case "$PWD $*" in',
    '  *--list-only*) ;;',
    `  ${pattern}) pid=$PPID`,
    '    until [ "$(readlink /proc/$pid/exe)" = "$node" ]; do pid=$(cut -d" " -f4 /proc/$pid/stat); done',
    // Its shell may go on until the kernel has ended it as well; another parent waits for this one.
    '    kill -9 $pid; for _ in $(seq 100); do [ -e /proc/$PPID/exe ] && sleep 0.01; done; exit 1 ;;',
    'esac',
    `exec /usr/bin/${program} "$@"`,
  ];
  await writeFile(join(bin, program), script.join('\n'), { mode: 0o755 });
  await runKilled(world, set, { env: { PATH: `${bin}:${process.env.PATH}` } });
  await rm(bin, { recursive: true });
}

/** The same for the first request over SFTP that matches. */
function killAtRequest(world: World, set: MirrorSet, pattern: string): Promise<void> {
  const words = ['--import', join(import.meta.dirname, 'kill-at-request.ts')];
  return runKilled(world, set, { words, env: { KILL_AT: pattern } });
}

async function runKilled(
  world: World,
  set: MirrorSet,
  { words = [], env }: { readonly words?: readonly string[]; readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  const child = spawn(
    process.execPath,
    [...words, join(import.meta.dirname, 'sync-child.ts'), JSON.stringify(set), world.context.state],
    { env: { ...process.env, ...env }, stdio: 'ignore' },
  );
  const [, signal] = await once(child, 'close');
  assert.equal(signal, 'SIGKILL');
}

interface Kill {
  readonly layout: 'snapshots' | 'pool';
  readonly when: string;
  readonly how: 'undone' | 'completed';
  /** Where m2 is a directory. */
  readonly local?: Start;
  /** Where it offers SFTP: which request. */
  readonly sftp: string;
}

const snapshot = '/m2/snapshots/deb-2\\S+/';
const links = {
  how: 'completed',
  local: ['mv', String.raw`*/m2\ -fT\ *\ stable`],
  sftp: 'rename .*/m2/stable$',
} as const;
const rows: readonly Kill[] = [
  {
    ...{ layout: 'snapshots', when: 'while data is sent', how: 'undone' },
    ...{ local: ['rsync', '*--stats*/m2/snapshots/*'], sftp: `open \\S+${snapshot}\\S+ wx` },
  },
  {
    ...{ layout: 'snapshots', when: 'between data and links', how: 'undone' },
    ...{ local: ['sha256sum', '*/m2/snapshots/deb-2*--zero*'], sftp: `open \\S+${snapshot}\\S+ r$` },
  },
  { layout: 'snapshots', when: 'between the links of two hosts', ...links },
  {
    ...{ layout: 'snapshots', when: 'when links are turned and their histories are not', how: 'completed' },
    local: ['mv', '*/m2*stable.target.txt'],
    sftp: 'rename .*/m2/stable.target.txt$',
  },
  {
    ...{ layout: 'pool', when: 'while packages are sent to the pool', how: 'undone' },
    ...{ local: ['rsync', '*--files-from*/m2/snapshots/deb-pool/'], sftp: 'rename .*/m2/snapshots/deb-pool/' },
  },
  {
    ...{ layout: 'pool', when: 'between packages and indexes', how: 'undone' },
    ...{ local: ['rsync', '*--recursive*/m2/snapshots/*'], sftp: 'mkdir .*/m2/snapshots/deb-2' },
  },
  {
    ...{ layout: 'pool', when: 'between indexes and links', how: 'undone' },
    ...{ local: ['sha256sum', '*/m2/snapshots/deb-2*--zero*'], sftp: `open \\S+${snapshot}\\S+ r$` },
  },
  { layout: 'pool', when: 'between the links of two hosts', ...links },
];

const kills = rows.flatMap((row) =>
  (['a directory', 'an SFTP server'] as const)
    .filter((kind) => kind === 'an SFTP server' || row.local !== undefined)
    .map((kind) => ({ kind, ...row })),
);

for (const { kind, layout, when, how, ...at } of kills) {
  test(`${kind}, ${layout}, killed ${when}: all show the old state or all the new one, and nothing half is left`, async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const hosts = { m1: { url: world.local('m1') }, m2: await host(world, kind, 'm2') };
    const set = world.set({ layout, timeout: 60, hosts });
    const first = await world.sync(set);
    await world.publish('beta', '1');
    await (at.local !== undefined && kind === 'a directory'
      ? killAt(world, set, at.local)
      : killAtRequest(world, set, at.sftp));
    const status = await mirrorStatus(set, world.context);
    assert.equal(status.outcome, 'unchanged', JSON.stringify(status));
    const [one, two] = [await look(world.local('m1')), await look(world.local('m2'))];
    assert.deepEqual(one, two);
    assert.equal(one.head, `snapshots/${one.latest}`);
    assert.equal(one.snapshots.length, how === 'undone' ? 1 : 2);
    assert.equal(one.latest === first.snapshot, how === 'undone');
    assert.ok(world.said.some((line) => line.startsWith(how === 'undone' ? 'undid' : 'completed')));
    assert.deepEqual(await hiddenIn(world.local('m2')), []);
    const packages = await readdir(join(world.local('m2'), 'snapshots/deb-pool/pool/main')).catch(() => null);
    if (layout === 'pool') assert.deepEqual(packages, how === 'undone' ? ['a'] : ['a', 'b']);
    const next = await world.sync(set);
    assert.equal(next.outcome, how === 'undone' ? 'committed' : 'unchanged');
    assert.equal((await look(world.local('m2'))).snapshots.length, 2);
  });
}

async function hiddenIn(root: string): Promise<string[]> {
  return (await readdir(root, { recursive: true })).filter((path) => basename(path).startsWith('.'));
}

test('what a sync sent to the pool goes when it is undone, also where the one before was completed after a kill', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const set = world.set({ layout: 'pool', hosts: { m1: { url: world.local('m1') }, m2: { url: world.local('m2') } } });
  await world.sync(set);
  for (const [name, start] of [
    ['beta', links.local],
    ['gamma', ['rsync', '*--recursive*/m2/snapshots/*']],
  ] as const) {
    await world.publish(name, '1');
    await killAt(world, set, start);
    assert.equal((await mirrorStatus(set, world.context)).outcome, 'unchanged');
  }
  for (const host of ['m1', 'm2']) {
    assert.deepEqual(await readdir(join(world.local(host), 'snapshots/deb-pool/pool/main')), ['a', 'b'], host);
  }
});

test('killed while the lock is taken: the next command takes it at once, and leaves nothing of it', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const daemon = await world.daemon('m1');
  const set = world.set({ hosts: { m1: { url: daemon.url } } });
  await world.sync(set);
  await world.publish('beta', '1');
  await killAt(world, set, ['rsync', '*--from0*--copy-links*']);
  const hidden = async () => (await look(daemon.root)).names.filter((name) => name.startsWith('.'));
  assert.deepEqual(await hidden(), ['.deb.lock', '.deb.lock-link']);
  assert.equal((await world.sync(set)).outcome, 'committed');
  assert.deepEqual(await hidden(), []);
});

for (const kind of ['a directory', 'an SFTP server'] as const) {
  test(`killed while the lock is on its way to ${kind}: the next command that takes it leaves nothing of it`, async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const set = world.set({ timeout: 60, hosts: { m1: await host(world, kind, 'm1') } });
    await world.sync(set);
    await world.publish('beta', '1');
    await (kind === 'a directory'
      ? killAt(world, set, ['ln', '*\\ .deb.lock'])
      : killAtRequest(world, set, 'ext_openssh_hardlink .*\\.deb\\.lock$'));
    // Nothing of a transaction: status has nothing to end, and takes no lock.
    assert.equal((await mirrorStatus(set, world.context)).outcome, 'unchanged');
    const hidden = (await hiddenIn(world.local('m1'))).map((path) => basename(path));
    assert.equal(hidden.length, 1);
    assert.match(hidden.join(), /^\.deb\.new-[0-9a-f]{12}$/);
    assert.equal((await world.sync(set)).outcome, 'committed');
    assert.deepEqual(await hiddenIn(world.local('m1')), []);
  });
}

test('two commands at once on one set do it one after the other', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  const results = await Promise.all([world.sync(set), world.sync(set)]);
  assert.deepEqual(results.map(({ outcome }) => outcome).sort(), ['committed', 'unchanged']);
});

test('a host whose links cannot be flipped leaves no other on the new state', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const daemon = await world.daemon('m2');
  const set = world.set({ hosts: { m1: { url: world.local('m1') }, m2: { url: daemon.url } } });
  const first = await world.sync(set);
  await world.publish('beta', '1');
  // A directory in the way of a link's history stands for any failure in the middle of the flip.
  const inTheWay = join(daemon.root, 'stable.target.txt');
  await rm(inTheWay);
  await mkdir(join(inTheWay, 'full'), { recursive: true });
  const second = await world.sync(set);
  await rm(inTheWay, { recursive: true });
  assert.ok(['failed', 'diverged'].includes(second.outcome), JSON.stringify(second));
  assert.deepEqual([second.hosts.m2?.phase, second.hosts.m2?.error?.code], ['flip', 'rsync:23']);
  assert.equal((await look(world.local('m1'))).latest, first.snapshot);
  const last = await world.sync(set);
  assert.equal(last.outcome, 'committed');
  assert.equal((await look(daemon.root)).latest, (await look(world.local('m1'))).latest);
});

test('with a key, what is not signed by it is not published', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const home = world.local('keys');
  const fingerprint = await openKey(home, 'Test <test@example.org>');
  t.after(() => closeAgent(home));
  const key = world.local('key.asc');
  await writeFile(key, await exportPublicKey({ home, key: fingerprint }));
  const set = world.set({ verify: { key }, hosts: { m1: { url: world.local('m1') } } });
  const unsigned = await world.sync(set);
  assert.deepEqual([unsigned.outcome, unsigned.hosts.m1?.error?.code], ['failed', 'verify']);
  const file = await makePackage('deb', world.directory, { name: 'beta', version: '1' });
  const signer = createGpgSigner({ home, key: fingerprint });
  const request = { dir: world.source, files: [file], settings: {}, signer, date: new Date() };
  await publishPackages(repositoryFormats.deb, request);
  const signed = await world.sync(set);
  assert.equal(signed.outcome, 'committed', JSON.stringify(signed));
  assert.match(await readFile(join(world.local('m1'), 'stable/dists/bookworm/InRelease'), 'utf8'), /BEGIN PGP SIGNED/);
});

test('M3: when all hosts go after the first flip, the report names what each shows', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const [one, two] = [await world.daemon('m1'), await world.daemon('m2')];
  const set = world.set({ hosts: { m1: { url: one.url }, m2: { url: two.url } } });
  const first = await world.sync(set);
  await world.publish('beta', '1');
  // The second host cannot be flipped; by then the first one has been, and both are gone.
  await rm(join(two.root, 'stable.target.txt'));
  await mkdir(join(two.root, 'stable.target.txt/full'), { recursive: true });
  const gone = (async () => {
    for (
      let before = first.snapshot;
      before === first.snapshot;
      before = (await look(one.root)).head?.slice(10) ?? ''
    ) {
      await sleep(5);
    }
    await Promise.all([one.stop(), two.stop()]);
  })();
  const second = await world.sync(set);
  await gone;
  assert.equal(second.outcome, 'diverged', JSON.stringify(second));
  const shown = (await look(one.root)).latest ?? '';
  assert.notEqual(shown, first.snapshot);
  const note = (name: string) => second.notes?.find((one) => one.startsWith(`${name} show`)) ?? '';
  assert.ok(note('m1').includes(shown), second.notes?.join('\n'));
  assert.ok(note('m2').includes(first.snapshot ?? ''), second.notes?.join('\n'));
  assert.equal(second.hosts.m2?.target, first.snapshot);
  await Promise.all([one.start(), two.start()]);
  await rm(join(two.root, 'stable.target.txt'), { recursive: true });
  world.later(121);
  assert.equal((await world.sync(set)).outcome, 'committed');
});

test('what a killed command has left in TMPDIR goes with the next one, and nothing that another one works with', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const set = world.set({ hosts: { m1: { url: world.local('m1') }, m2: { url: world.local('m2') } } });
  await world.sync(set);
  await world.publish('beta', '1');
  const { TMPDIR } = process.env;
  t.after(() => (TMPDIR === undefined ? delete process.env.TMPDIR : Object.assign(process.env, { TMPDIR })));
  process.env.TMPDIR = world.local('tmp');
  await mkdir(process.env.TMPDIR);
  await killAt(world, set, ['rsync', '*--stats*/m2/snapshots/*']);
  const left = await readdir(process.env.TMPDIR);
  assert.ok(
    left.some((name) => name.startsWith('sluice-mirror-')),
    left.join(),
  );
  const own = basename(await makeTemporary('sluice-mirror'));
  // Its number is of a process in a container, on another machine, or from before a restart.
  const elsewhere = own.replace(/-[0-9a-f]{8}-\d+-/, '-00000000-999999999-');
  const reused = own.replace(/-(\d+)-(\d+)-/, '-$1-1-');
  const link = `${reused}.link`;
  for (const name of [elsewhere, reused]) await mkdir(join(process.env.TMPDIR, name));
  await symlink(world.source, join(process.env.TMPDIR, link));
  assert.equal((await mirrorStatus(set, world.context)).outcome, 'unchanged');
  assert.deepEqual((await readdir(process.env.TMPDIR)).sort(), [elsewhere, own, link].sort());
});
