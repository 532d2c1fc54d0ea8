import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { advisories, group } from '../activities/repository/extra-samples.ts';
import { makePackage, temporary } from '../activities/repository/packages.ts';
import { execute } from './run.ts';

test('options that may be repeated leave the arguments after them alone', async (t) => {
  const work = await temporary(t);
  const helper = await makePackage('deb', work, { name: 'helper', version: '1' });
  const needy = await makePackage('deb', work, { name: 'needy', version: '1', requires: ['helper'] });
  const common = ['--format', 'deb', '--codename', 'test', '--arch', 'amd64', '--arch', 'arm64'];
  for (const [dir, file] of [['a', needy] as const, ['b', helper] as const]) {
    const { status, stderr } = execute(['repo', 'publish', dir, ...common, file], work);
    assert.equal(status, 0, stderr);
  }
  const alone = execute<{ ok: boolean }>(['repo', 'check', 'a', '--json'], work);
  assert.deepEqual([alone.status, alone.json.ok], [1, false]);
  const checked = execute<{ ok: boolean }>(['repo', 'check', '--json', '--with', 'a', '--with', 'b', 'a'], work);
  assert.deepEqual([checked.status, checked.json.ok], [0, true], checked.stderr);
});

test('names that no repository takes are bad usage, and nothing is made', async (t) => {
  const work = await temporary(t);
  const file = await makePackage('deb', work, { name: 'alpha', version: '1' });
  const publish = (...options: string[]) =>
    execute(['repo', 'publish', join('new', 'repo'), '--format', 'deb', ...options, file], work);
  for (const options of [
    ['--codename', '../x'],
    ['--codename', 'x', '--arch', '../../../../x'],
    ['--codename', 'x', '--origin', 'me\nSigned-By: nobody'],
  ]) {
    assert.equal(publish(...options).status, 2);
  }
  const other = execute(['repo', 'publish', 'r', '--format', 'deb', '--codename', 'x', file], work);
  assert.equal(other.status, 0, other.stderr);
  const mixed = execute(['repo', 'publish', 'r', '--format', 'rpm', file], work);
  assert.equal(mixed.status, 1);
  assert.match(mixed.stderr, /is no \.rpm file/);
});

test('a package that is not there is bad usage, and nothing is made', async (t) => {
  const work = await temporary(t);
  const file = await makePackage('deb', work, { name: 'alpha', version: '1' });
  const none = 'cannot be read: ENOENT: no such file or directory\n';
  for (const [format, absent, said] of [
    ['deb', 'none.deb', `none.deb: ${none}`],
    ['deb', 'none.dsc', `none.dsc: ${none}`],
    ['rpm', 'none.rpm', `none.rpm: ${none}`],
    ['rpm', '.', '.: is a directory: name a file\n'],
  ] as const) {
    const codename = format === 'deb' ? ['--codename', 'x'] : [];
    const answer = execute(['repo', 'publish', 'r', '--format', format, ...codename, file, absent], work);
    assert.deepEqual([answer.status, answer.stdout, answer.stderr], [2, '', said]);
  }
  assert.equal(existsSync(join(work, 'r')), false);
});

test('what is no repository is bad usage', async (t) => {
  const work = await temporary(t);
  await writeFile(join(work, 'file'), '');
  for (const [dir, says] of [
    ['none', /^none is not there\n$/],
    ['file', /^file is not a directory\n$/],
    ['.', / is no package repository: /],
  ] as const) {
    for (const words of [
      ['repo', 'list', dir],
      ['repo', 'check', dir],
      ['repo', 'diff', dir, dir],
      ['repo', 'remove', dir, 'alpha'],
      ['repo', 'metadata', dir],
      ['install-test', dir, 'alpha', '--platform', 'debian-12'],
    ]) {
      const { status, stderr } = execute(words, work);
      assert.equal(status, 2, `${words.join(' ')}: ${stderr}`);
      assert.match(stderr, says);
    }
  }
});

for (const format of ['deb', 'rpm'] as const) {
  test(`B6: repo check takes what packages need from a repository behind a URL (${format})`, async (t) => {
    const work = await temporary(t);
    const helper = await makePackage(format, work, { name: 'helper', version: '1' });
    const needy = await makePackage(format, work, { name: 'needy', version: '1', requires: ['helper'] });
    const common = ['--format', format, ...(format === 'deb' ? ['--codename', 'test', '--arch', 'amd64'] : [])];
    for (const [dir, file] of [['own', needy] as const, ['base', helper] as const]) {
      assert.equal(execute(['repo', 'publish', dir, ...common, file], work).status, 0);
    }
    const alone = execute(['repo', 'check', 'own'], work);
    assert.equal(alone.status, 1);
    assert.match(alone.stdout, /needs helper.*\nWhat comes from elsewhere is named by --with/);
    const url = pathToFileURL(join(work, 'base')).href;
    const named = format === 'deb' ? [url, `deb [trusted=yes] ${url} test main`] : [url];
    for (const name of named) {
      const { status, stdout, stderr } = execute(['repo', 'check', 'own', '--with', name], work);
      assert.equal(status, 0, stdout + stderr);
      assert.match(stdout, /^no problems\nchecked: 1 package, /);
    }
    const away = execute(['repo', 'check', 'own', '--with', `${url}-not`], work);
    assert.equal(away.status, 1);
    assert.match(away.stderr, /base-not cannot be read: /);
    assert.ok(away.stderr.trim().split('\n').length <= 2, away.stderr);
  });
}

test('B6: what --with cannot be is bad usage that names the forms', async (t) => {
  const work = await temporary(t);
  const file = await makePackage('deb', work, { name: 'alpha', version: '1' });
  execute(['repo', 'publish', 'own', '--format', 'deb', '--codename', 'x', file], work);
  for (const [name, says] of [
    ['nowhere', /none of a directory, a URL, a line "deb URL SUITE COMPONENT…", or a platform \(debian-12, /],
    ['rpm-debian-12', /is a platform of rpm, not deb/],
  ] as const) {
    const { status, stderr } = execute(['repo', 'check', 'own', '--with', name], work);
    assert.equal(status, 2, name);
    assert.match(stderr, says);
  }
});

test('repo publish keeps as many versions as are asked for, and goes back only when asked to', async (t) => {
  const work = await temporary(t);
  const files = new Map<string, string>();
  for (const version of ['1', '2', '3']) {
    files.set(version, await makePackage('deb', work, { name: 'alpha', version }));
  }
  const publish = (version: string, ...options: readonly string[]) => {
    const given = version === '' ? [] : [files.get(version) ?? ''];
    return execute<unknown>(['repo', 'publish', 'r', '--format', 'deb', '--codename', 'x', ...options, ...given], work);
  };
  assert.equal(publish('2').status, 0);
  const refused = publish('1', '--keep', '2');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /alpha 1 \(all\) is older than 2, which is there: add it with --allow-downgrade/);
  assert.equal(publish('1', '--allow-downgrade').stdout, '+ alpha 1 (all)\n2 packages\n');
  assert.equal(publish('3', '--keep', '2').stdout, '+ alpha 3 (all)\n- alpha 1 (all)\n2 packages\n');
  assert.equal(publish('', '--keep', '1').stdout, '- alpha 2 (all)\n1 package\n');
  assert.equal(publish('3', '--keep', '0').status, 2);
  assert.equal(publish('', '--debug', 'separate').stdout, '1 package\n');
  assert.match(await readFile(join(work, 'r/dists/x/Release'), 'utf8'), /^Components: main debug$/m);
});

test('repo metadata gives a repository advisories and groups, says which it has, and takes them away', async (t) => {
  const work = await temporary(t);
  const file = await makePackage('rpm', work, { name: 'alpha', version: '1' });
  assert.equal(execute(['repo', 'publish', 'r', '--format', 'rpm', file], work).status, 0);
  const metadata = (...options: readonly string[]) => execute<unknown>(['repo', 'metadata', 'r', ...options], work);
  assert.equal(metadata().stdout, 'none\n');
  await writeFile(join(work, 'u.xml'), advisories('SLU-1', 'alpha 2 1').text);
  await writeFile(join(work, 'c.xml.gz'), gzipSync(group('tools', 'alpha').text));
  const given = metadata('--updateinfo', 'u.xml', '--comps', 'c.xml.gz');
  const note = 'note: updateinfo: SLU-1 names alpha-2-1.noarch, which is not in the repository';
  assert.equal(given.stdout, `${note}\n1 package\n`, given.stderr);
  assert.match(metadata().stdout, /^KIND +FILE\ncomps +repodata\/\S+-comps\.xml\.gz\nupdateinfo +repodata\//);
  assert.equal(metadata('--remove', 'comps', '--remove', 'updateinfo').status, 0);
  assert.equal(metadata().stdout, 'none\n');
  await writeFile(join(work, 'u.xml'), '<updates>\n</update>\n');
  const broken = metadata('--updateinfo', 'u.xml');
  assert.deepEqual([broken.status, broken.stderr], [1, 'u.xml:2: </update> closes <updates>\n']);
  for (const options of [
    ['--comps', 'nowhere.xml'],
    ['--comps', 'c.xml.gz', '--remove', 'comps'],
    ['--remove', 'primary'],
  ]) {
    assert.equal(metadata(...options).status, 2);
  }
});
