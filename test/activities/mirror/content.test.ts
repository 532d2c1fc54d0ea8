import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { rollbackMirrors } from '../../../activities/mirror/rollback.ts';
import { verifyMirrors } from '../../../activities/mirror/verify.ts';
import { must } from '../../../activities/process/run.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { describePackages, publishPackages } from '../../../activities/repository/publish.ts';
import { advisories } from '../repository/extra-samples.ts';
import { makePackage } from '../repository/packages.ts';
import { contentOf, mirrorWorld, type World } from './world.ts';

for (const kind of ['a directory', 'a daemon', 'a remote shell'] as const) {
  test(`M2: a file replaced by one of equal size and time is published as it is, on ${kind}`, async (t) => {
    const world = await mirrorWorld(t);
    const remote = { 'a directory': async () => ({ url: world.local('m1'), root: world.local('m1') }) };
    const { url, root } = await (kind === 'a directory'
      ? remote[kind]()
      : kind === 'a daemon'
        ? world.daemon('m1')
        : world.remote('m1'));
    const time = new Date('2026-01-02T03:04:05Z');
    const put = async (path: string, text: string) => {
      await mkdir(join(world.source, 'pool'), { recursive: true });
      // A new file under the old name, as publishers write.
      await rm(join(world.source, path), { force: true });
      await writeFile(join(world.source, path), text);
      await utimes(join(world.source, path), time, time);
    };
    await put('pool/one', 'old bytes');
    const set = world.set({ hosts: { m1: { url } } });
    assert.equal((await world.sync(set)).outcome, 'committed');
    await put('pool/one', 'new bytes');
    await put('pool/two', 'another');
    assert.equal((await world.sync(set)).outcome, 'committed');
    assert.equal(await readFile(join(root, 'stable/pool/one'), 'utf8'), 'new bytes');
    await put('pool/one', 'hot bytes');
    const alone = await world.sync(set);
    assert.equal(alone.outcome, 'committed');
    assert.equal(await readFile(join(root, 'stable/pool/one'), 'utf8'), 'hot bytes');
    const before = (await readdir(join(root, 'snapshots'))).find((name) => name.startsWith('deb-2026')) ?? '';
    assert.equal(await readFile(join(root, 'snapshots', before, 'pool/one'), 'utf8'), 'old bytes');
  });
}

test('M2: a name that cannot be told to rsync fails the sync by name; other odd ones are mirrored', async (t) => {
  const world = await mirrorWorld(t);
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  const odd = [' blank ', 'ü -> z', 'back\\slash', '*', '-x', "it's"];
  await mkdir(world.source, { recursive: true });
  for (const name of odd) await writeFile(join(world.source, name), 'x');
  const first = await world.sync(set);
  assert.equal(first.outcome, 'committed', JSON.stringify(first.hosts));
  const shown = await readdir(join(world.local('m1'), 'stable'));
  assert.deepEqual(
    odd.filter((name) => !shown.includes(name)),
    [],
  );
  for (const [name, why] of [
    [Buffer.from('caf\xe9', 'latin1'), '"caf?" is not UTF-8'],
    [Buffer.from('new\nline'), '"new\\nline" has a control character'],
    [Buffer.from('back\\#012'), '"back\\\\#012" has what rsync writes'],
  ] as const) {
    const path = Buffer.concat([Buffer.from(`${world.source}/`), name]);
    await writeFile(path, 'x');
    const { outcome, hosts } = await world.sync(set);
    assert.deepEqual([outcome, hosts.m1?.error?.code], ['failed', 'source']);
    assert.ok(hosts.m1?.error?.message.startsWith(why), hosts.m1?.error?.message);
    await rm(path);
  }
});

test('a source that has lost all its indexes is taken for a disk that is not mounted, until somebody says otherwise', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const source = await world.plain();
  const set = world.set({ source, hosts: { m1: { url: world.local('m1') } } });
  const first = await world.sync(set);
  assert.equal(first.outcome, 'committed', JSON.stringify(first));
  await rm(source, { recursive: true });
  await mkdir(source);
  const refused = (await world.sync(set)).hosts.m1?.error;
  assert.deepEqual([refused?.code, /had 1 repository and has none/.test(refused?.message ?? '')], ['source', true]);
  assert.ok((await readdir(join(world.local('m1'), 'stable'))).includes('dists'));
  await rm(/: rm (\S+)$/.exec(refused?.message ?? '')?.[1] ?? '');
  assert.equal((await world.sync(set)).outcome, 'committed');
});

test('M6: after a rollback nothing is sent that the host has in any snapshot', async (t) => {
  const world = await mirrorWorld(t);
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  const names: string[] = [];
  for (const name of ['alpha', 'beta', 'gamma']) {
    await world.publish(name, '1');
    names.push((await world.sync(set)).snapshot ?? '');
  }
  await rollbackMirrors(set, world.context, { to: names[0] });
  const again = await world.sync(set);
  assert.deepEqual([again.outcome, again.hosts.m1?.bytes], ['committed', 0], JSON.stringify(again));
  const pool = (name: string | null) =>
    stat(join(world.local('m1'), 'snapshots', name ?? '', 'pool/main/g/gamma/gamma_1_all.deb'));
  assert.equal((await pool(again.snapshot)).ino, (await pool(names[2] ?? '')).ino);
});

test('P10: what is published is readable by all, whatever the umask of who publishes', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  for (const entry of await readdir(await realpath(world.source), { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
  }
  const daemon = await world.daemon('m2');
  const remote = await world.remote('m3');
  const hosts = { m1: { url: world.local('m1') }, m2: { url: `${daemon.url}/sub` }, m3: { url: remote.url } };
  const set = world.set({ heads: ['stable', 'by-name/current'], hosts });
  const result = await world.sync(set);
  assert.equal(result.outcome, 'committed', JSON.stringify(result));
  for (const root of [world.local('m1'), join(daemon.root, 'sub'), remote.root]) {
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const wanted = entry.isDirectory() ? 0o755 : entry.isSymbolicLink() ? 0o777 : 0o644;
      assert.equal((await lstat(path)).mode & 0o777, wanted, path);
    }
    assert.equal((await stat(root)).mode & 0o777, 0o755, root);
  }
  assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
  await chmod(join(world.local('m1'), 'snapshots', result.snapshot ?? '', 'pool'), 0o700);
  const verified = await verifyMirrors(set, world.context);
  assert.deepEqual(
    [verified.outcome, verified.hosts.m1?.error?.message],
    ['failed', 'pool may not be read by everybody'],
  );
  assert.equal((await world.sync(set)).outcome, 'committed');
  assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
});

/** A source with one package, whose `Release` names its list by the given fields. */
async function handMade(
  world: World,
  { fields, flat = false }: { readonly fields: readonly string[]; flat?: boolean },
) {
  await mkdir(world.source, { recursive: true });
  const file = await makePackage('deb', world.directory, { name: 'alpha', version: '1' });
  const place = flat ? 'amd64/alpha.deb' : 'pool/alpha.deb';
  await mkdir(dirname(join(world.source, place)), { recursive: true });
  await must('cp', [file, join(world.source, place)]);
  const { stdout } = await must('apt-ftparchive', ['packages', dirname(place)], { cwd: world.source });
  const list = flat ? 'Packages' : 'main/binary-amd64/Packages';
  const dist = flat ? '' : 'dists/x';
  await mkdir(dirname(join(world.source, dist, list)), { recursive: true });
  await writeFile(join(world.source, dist, list), stdout);
  const lines = fields.map((field) => {
    const hash = createHash(field === 'MD5Sum' ? 'md5' : field.toLowerCase())
      .update(stdout)
      .digest('hex');
    return `${field}:\n ${hash} ${Buffer.byteLength(stdout)} ${list}`;
  });
  await writeFile(join(world.source, dist, 'Release'), ['Codename: x', ...lines, ''].join('\n'));
  return { list: join(dist, list), file: place };
}

describe('P2: what cannot be checked does not count as checked', () => {
  const forms = [
    ['SHA512 alone', { fields: ['SHA512'] }],
    ['SHA256', { fields: ['MD5Sum', 'SHA256'] }],
    ['a flat repository', { fields: ['SHA256'], flat: true }],
  ] as const;
  for (const [name, form] of forms) {
    test(`P2: ${name}: a damaged package is found, a whole one is counted`, async (t) => {
      const world = await mirrorWorld(t);
      const { file } = await handMade(world, form);
      const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
      const first = await world.sync(set);
      assert.equal(first.outcome, 'committed', JSON.stringify(first));
      assert.match(first.checked ?? '', /^1 package, 1 index/);
      assert.deepEqual(first.packages.added, [{ name: 'alpha', version: '1', arch: 'all' }]);
      const path = join(world.source, file);
      const { mtime } = await stat(path);
      const bytes = await readFile(path);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      await rm(path);
      await writeFile(path, bytes);
      await utimes(path, mtime, mtime);
      const { outcome, hosts } = await world.sync(set);
      assert.deepEqual([outcome, hosts.m1?.error?.code], ['failed', 'verify'], JSON.stringify(hosts));
    });
  }

  test('P2: InRelease alone is enough', async (t) => {
    const world = await mirrorWorld(t);
    const { file } = await handMade(world, { fields: ['SHA256'] });
    const dist = join(world.source, 'dists/x');
    const text = await readFile(join(dist, 'Release'), 'utf8');
    const signed = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${text}-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n`;
    await writeFile(join(dist, 'InRelease'), signed);
    await rm(join(dist, 'Release'));
    const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
    assert.match((await world.sync(set)).checked ?? '', /^1 package, 1 index/);
    await writeFile(join(world.source, file), 'broken');
    assert.equal((await world.sync(set)).outcome, 'failed');
  });

  test('P2: lists that are named and not there, or vouched for by MD5 alone, are refused', async (t) => {
    const world = await mirrorWorld(t);
    const { list } = await handMade(world, { fields: ['SHA256'] });
    const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
    await rm(join(world.source, list));
    const gone = await world.sync(set);
    assert.match(gone.hosts.m1?.error?.message ?? '', /Packages, of which no form is there/);
    await rm(dirname(join(world.source, list)), { recursive: true });
    const bare = await world.sync(set);
    assert.match(bare.hosts.m1?.error?.message ?? '', /nothing can be checked/);
    await rm(world.source, { recursive: true });
    await handMade(world, { fields: ['MD5Sum'] });
    const weak = await world.sync(set);
    assert.match(weak.hosts.m1?.error?.message ?? '', /md5 alone/);
  });

  test('P2: a tree without any index is published, and said to be unchecked', async (t) => {
    const world = await mirrorWorld(t);
    await mkdir(world.source);
    await writeFile(join(world.source, 'text'), 'plain');
    await symlink('text', join(world.source, 'other'));
    const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
    const { outcome, checked } = await world.sync(set);
    assert.deepEqual([outcome, /unchecked: there is no Release/.test(checked ?? '')], ['committed', true]);
    assert.deepEqual(await contentOf(`${world.local('m1')}/stable/`), await contentOf(`${world.source}/`));
    assert.match((await verifyMirrors(set, world.context)).checked ?? '', /1 file as sent/);
  });

  for (const checksum of ['sha', 'sha512'] as const) {
    test(`P2: RPM metadata with ${checksum}: a damaged package is found`, async (t) => {
      const world = await mirrorWorld(t);
      await mkdir(world.source);
      const file = await makePackage('rpm', world.directory, { name: 'alpha', version: '1' });
      await must('cp', [file, join(world.source, 'alpha.rpm')]);
      await must('createrepo_c', ['--quiet', `--checksum=${checksum}`, world.source]);
      const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
      const first = await world.sync(set);
      assert.equal(first.outcome, 'committed', JSON.stringify(first));
      assert.match(first.checked ?? '', /^1 package, \d+ indexes/);
      const path = join(world.source, 'alpha.rpm');
      const bytes = await readFile(path);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      await rm(path);
      await writeFile(path, bytes);
      const { hosts } = await world.sync(set);
      assert.equal(hosts.m1?.error?.code, 'verify', JSON.stringify(hosts));
    });
  }
});

test('advisories go to a mirror with the lists, and are checked as these are; so does a rollback', async (t) => {
  const world = await mirrorWorld(t);
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  const of = { dir: world.source, date: new Date() };
  const files = [await makePackage('rpm', world.directory, { name: 'alpha', version: '1' })];
  await publishPackages(repositoryFormats.rpm, { ...of, files, settings: {} });
  assert.equal((await world.sync(set)).outcome, 'committed');
  const given = [advisories('SLU-1', 'alpha 1 1')];
  await describePackages(repositoryFormats.rpm, { ...of, extras: { given, remove: [] } });
  world.later(1);
  const { snapshot } = await world.sync(set);
  assert.match((await verifyMirrors(set, world.context)).checked ?? '', /1 package, 4 indexes/);
  const repodata = join(world.local('m1'), 'snapshots', snapshot ?? '', 'repodata');
  const name = (await readdir(repodata)).find((one) => one.endsWith('-updateinfo.xml.gz')) ?? '';
  const good = await readFile(join(repodata, name));
  await rm(join(repodata, name));
  await writeFile(join(repodata, name), good.subarray(1));
  const damaged = await verifyMirrors(set, world.context);
  assert.match(damaged.hosts.m1?.error?.message ?? '', /-updateinfo\.xml\.gz/);
  assert.equal((await world.sync(set)).outcome, 'committed');
  assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
  await rollbackMirrors(set, world.context);
  assert.match((await verifyMirrors(set, world.context)).checked ?? '', /1 package, 3 indexes/);
});
