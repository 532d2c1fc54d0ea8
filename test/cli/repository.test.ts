import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
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
  assert.equal(execute(['repo', 'list', 'new'], work).status, 1);
  const other = execute(['repo', 'publish', 'r', '--format', 'deb', '--codename', 'x', file], work);
  assert.equal(other.status, 0, other.stderr);
  const mixed = execute(['repo', 'publish', 'r', '--format', 'rpm', file], work);
  assert.equal(mixed.status, 1);
  assert.match(mixed.stderr, /is no \.rpm file/);
});
