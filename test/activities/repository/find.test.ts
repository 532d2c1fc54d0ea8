import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { changeLists } from '../../../activities/repository/compose.ts';
import { paragraphForm } from '../../../activities/repository/deb/describe.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import type { OpenLists } from '../../../activities/repository/port.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { elementForm } from '../../../activities/repository/rpm/describe.ts';
import { makePackage, temporary } from './packages.ts';

const { deb, rpm } = repositoryFormats;

function debEntry(name: string, arch: string) {
  const key = `pool/main/${name.charAt(0)}/${name}/${name}_1_${arch}.deb`;
  return { key, texts: [`Package: ${name}\nVersion: 1\nArchitecture: ${arch}\nFilename: ${key}\nSize: 1\n\n`] };
}

async function debLists(lists: Readonly<Record<string, readonly (readonly [string, string])[]>>): Promise<OpenLists> {
  const made = new Map();
  for (const [name, packages] of Object.entries(lists)) {
    const added = packages.map(([one, arch]) => debEntry(one, arch));
    made.set(name, (await changeLists([[]], { added, gone: new Set() }, paragraphForm))[0]);
  }
  return made;
}

const many = Array.from({ length: 2000 }, (_, position) => `number${position}`);

test('DEB packages are found by name and by path in lists of several pieces; those for all architectures count once', async () => {
  const lists = await debLists({
    'main/binary-amd64/Packages': [...many.map((name) => [name, 'amd64'] as const), ['shared', 'all']],
    'main/binary-arm64/Packages': [
      ['number7', 'arm64'],
      ['shared', 'all'],
    ],
  });
  assert.ok((lists.get('main/binary-amd64/Packages')?.length ?? 0) > 3);
  assert.equal(deb.count(lists), many.length + 2);
  const found = (names: readonly string[]) => deb.find(lists, new Set(names)).map(({ path }) => path.split('/').at(-1));
  assert.deepEqual(found(['number7', 'shared']).sort(), [
    'number7_1_amd64.deb',
    'number7_1_arm64.deb',
    'shared_1_all.deb',
  ]);
  assert.deepEqual(found(['number']), []);
  assert.equal(found(many).length, many.length + 1);
  const paths = many.map((name) => debEntry(name, 'amd64').key);
  assert.equal(deb.findAt(lists, new Set(paths)).length, many.length);
  assert.deepEqual(
    deb.findAt(lists, new Set(['pool/main/n/number7/number7_1_arm64.deb', 'pool/none'])).map(({ arch }) => arch),
    ['arm64'],
  );
});

test('RPM packages are found by name, however many are looked for, and by path', async () => {
  const entry = (name: string) => {
    const key = `Packages/n/${name}-1-1.noarch.rpm`;
    const text = `<package type="rpm">\n<name>${name}</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/><checksum type="sha256" pkgid="YES">ab</checksum><size package="1"/><location href="${key}"/></package>\n`;
    return { key, texts: [text] };
  };
  const [pieces = []] = await changeLists([[]], { added: many.map(entry), gone: new Set() }, elementForm);
  const lists = new Map([['primary', pieces]]);
  assert.equal(rpm.count(lists), many.length);
  assert.deepEqual(
    rpm.find(lists, new Set(['number7', 'none'])).map(({ name }) => name),
    ['number7'],
  );
  assert.equal(rpm.find(lists, new Set(many)).length, many.length);
  assert.deepEqual(
    rpm.findAt(lists, new Set([entry('number8').key])).map(({ name }) => name),
    ['number8'],
  );
});

test('a list that was changed on disk beside its packed form is not built upon', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const settings = { codename: 'test', architectures: ['amd64'] };
  const publish = async (name: string) => {
    const files = [await makePackage('deb', work, { name, version: '1' })];
    await publishPackages(deb, { dir, files, settings, date: new Date() });
  };
  await publish('alpha');
  const list = join(dir, 'dists/test/main/binary-amd64/Packages');
  const text = await readFile(list, 'utf8');
  await writeFile(list, text.replace('Package: alpha', 'Package: omega'));
  await publish('beta');
  const written = await readFile(list, 'utf8');
  assert.match(written, /^Package: alpha$/m);
  assert.equal(gunzipSync(await readFile(`${list}.gz`)).toString(), written);
});
