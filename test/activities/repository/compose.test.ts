import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { must } from '../../../activities/process/run.ts';
import { changeLists, seal, unseal, withPlain } from '../../../activities/repository/compose.ts';
import { paragraphs } from '../../../activities/repository/deb/describe.ts';
import { listFiles } from '../../../activities/repository/files.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { openPiece, type Piece } from '../../../activities/repository/pieces.ts';
import { publishPackages, removePackages } from '../../../activities/repository/publish.ts';
import { elements, escaped, namedIn } from '../../../activities/repository/rpm/describe.ts';
import { parsePrimary } from '../../../pipelines/formats/rpm/repodata.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { makePackage, temporary } from './packages.ts';

const form = {
  entries: (text: string) => text.split(/(?<=\n)/),
  key: (text: string) => text.split(' ')[0] ?? '',
};
const entry = (key: string) => ({ key, texts: [`${key} first \xe0\n`, `${key} second\n`] });
/** Of three hundred and more keys some begin a piece. */
const key = fc.integer({ min: 0, max: 2000 }).map((number) => `pool/${number}`);

/** The same list with its text at hand, as it is when it is read from the disk. */
function opened(pieces: readonly Piece[]): readonly Piece[] {
  const texts: Buffer[] = [];
  const { plainSha256 } = seal(pieces, (text) => texts.push(text));
  return withPlain(pieces, Buffer.concat(texts), plainSha256);
}

function together(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(pieces.map(({ packed }) => packed));
}

test('lists that were changed step by step are those that are written in one go', async () => {
  const steps = fc.array(fc.array(key, { maxLength: 400 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(steps, async (changes) => {
      const there = new Set<string>();
      let lists: Awaited<ReturnType<typeof changeLists>> = [[], []];
      for (const some of changes) {
        const gone = new Set(some.filter((one) => there.has(one)));
        const fresh = [...new Set(some)].filter((one) => !there.has(one));
        lists = await changeLists(lists.map(opened), { added: fresh.map(entry), gone }, form);
        for (const one of gone) there.delete(one);
        for (const one of fresh) there.add(one);
      }
      const sorted = [...there].sort().map(entry);
      const whole = await changeLists([[], []], { added: sorted, gone: new Set() }, form);
      for (const [list, pieces] of lists.entries()) {
        const { size, sha256, plainSize, plainSha256 } = seal(pieces);
        const packed = together(pieces);
        assert.ok(packed.equals(together(whole[list] ?? [])));
        assert.equal(packed.length, size);
        assert.equal(plainSha256, seal(whole[list] ?? []).plainSha256);
        const text = packed.length === 0 ? Buffer.alloc(0) : gunzipSync(packed);
        assert.equal(text.toString('latin1'), sorted.map(({ texts }) => texts[list]).join(''));
        assert.equal(text.length, plainSize);
        assert.deepEqual(
          unseal(packed, sha256)?.map(({ first }) => first),
          pieces.map(({ first }) => first),
        );
      }
    }),
    { numRuns: 30 },
  );
});

test('a list that is not as its digest says, or was packed by others, is not built upon; damage in a piece is found', async () => {
  const [pieces = []] = await changeLists([[], []], { added: [entry('pool/1')], gone: new Set() }, form);
  const { sha256 } = seal(pieces);
  const packed = together(pieces);
  const damaged = Buffer.from(packed);
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 12) ^ 1, damaged.length - 12);
  assert.equal(unseal(damaged, sha256), null);
  assert.throws(() => openPiece({ ...pieces[0], packed: damaged } as (typeof pieces)[0]));
  assert.equal(unseal(packed.subarray(1), '0'), null);
  await assert.rejects(
    changeLists([pieces, pieces], { added: [entry('pool/1')], gone: new Set() }, form),
    /there twice/,
  );
});

const samples = {
  deb: [
    { name: 'alpha', version: '2:1.0-1', fields: { Provides: 'feature (= 3)', Recommends: 'omega | psi' } },
    { name: 'libdelta', version: '1.0~rc1', requires: ['alpha (>= 1)'], fields: { Source: 'delta (0.9)' } },
    { name: 'gamma', version: '1', fields: { Homepage: 'https://example.org/ä?a&b', 'Multi-Arch': 'foreign' } },
  ],
  rpm: [
    {
      name: 'alpha',
      version: '2:1.0-1',
      fields: { Recommends: 'omega', Supplements: '(alpha and beta)', URL: 'http://a/?b&c' },
    },
    {
      name: 'Delta',
      version: '1.0~rc1-1',
      requires: ['(alpha if beta)', '/usr/bin/sh'],
      files: { '/usr/share/d&<d>': 'x' },
    },
    {
      name: 'gamma',
      version: '1^git1-1',
      files: { '/etc/gamma.conf': 'x', '/usr/share/gamma/ä': 'x' },
      fields: { Conflicts: 'psi < 2' },
    },
  ],
} as const;

/** What the distribution's own tool writes for all packages of a tree in one run, entry by entry. */
async function inFull(format: PackageFormat, tree: string): Promise<Record<string, string[]>> {
  if (format === 'deb') {
    const args = ['-o', 'APT::FTPArchive::SHA512=false', '--arch', 'amd64', 'packages', 'pool'];
    return {
      Packages: paragraphs((await must('apt-ftparchive', args, { cwd: tree, encoding: 'latin1' })).stdout).sort(),
    };
  }
  await must('createrepo_c', ['--quiet', '--no-database', '--checksum', 'sha256', '--simple-md-filenames', tree]);
  return rpmLists(join(tree, 'repodata'));
}

async function rpmLists(repodata: string): Promise<Record<string, string[]>> {
  const lists: Record<string, string[]> = {};
  for (const type of ['primary', 'filelists', 'other']) {
    const file = (await readdir(repodata)).find((name) => name.endsWith(`${type}.xml.gz`)) ?? '';
    const text = gunzipSync(await readFile(join(repodata, file))).toString('latin1');
    lists[type] = [...elements(text).sort(), text.replace(/<package [\s\S]*<\/package>\n/, '…')];
  }
  return lists;
}

async function composed(format: PackageFormat, tree: string): Promise<Record<string, string[]>> {
  if (format === 'rpm') return currentRpmLists(tree);
  const list = join(tree, 'dists/test/main/binary-amd64/Packages');
  const text = await readFile(list, 'latin1');
  assert.equal(gunzipSync(await readFile(`${list}.gz`)).toString('latin1'), text);
  return { Packages: paragraphs(text).sort() };
}

/** The lists that repomd.xml names; older ones stand beside them. */
async function currentRpmLists(tree: string): Promise<Record<string, string[]>> {
  const vouched = await repositoryFormats.rpm.vouched(tree);
  const only = join(await mkdtemp(join(dirname(tree), 'only-')), 'repodata');
  await mkdir(only);
  for (const { path } of vouched) await cp(join(tree, path), join(only, path.split('/').at(-1) ?? ''));
  return rpmLists(only);
}

for (const format of ['deb', 'rpm'] as const) {
  test(`${format}: an index that grew and shrank package by package says what the distribution’s tool says`, async (t) => {
    const work = await temporary(t);
    const dir = join(work, 'repo');
    const files: string[] = [];
    for (const sample of samples[format]) files.push(await makePackage(format, work, sample));
    files.push(await makePackage(format, work, { name: 'omega', version: '1' }));
    const settings = { codename: format === 'deb' ? 'test' : '', architectures: format === 'deb' ? ['amd64'] : [] };
    const date = new Date('2026-11-27T12:00:00Z');
    for (const file of files) await publishPackages(repositoryFormats[format], { dir, files: [file], settings, date });
    await removePackages(repositoryFormats[format], { dir, remove: ({ name }) => name === 'omega', date });
    const copy = join(work, 'copy');
    await cp(`${dir}/`, copy, { recursive: true, preserveTimestamps: true });
    for (const path of (await listFiles(copy)).filter((one) => /repodata|omega/.test(one))) {
      await rename(join(copy, path), join(await mkdtemp(join(work, 'apart-')), 'file'));
    }
    assert.deepEqual(await composed(format, dir), await inFull(format, copy));
  });
}

test('RPM packages are described wherever they are, and none for another; a line break in a path is refused', async (t) => {
  const work = await temporary(t);
  const made = await makePackage('rpm', work, { name: 'alpha', version: '1-1' });
  const odd = await mkdtemp(join(work, "a b&<ä>'"));
  const files = [join(odd, 'ü .rpm'), join(odd, 'text.rpm'), made];
  await cp(made, files[0] ?? '');
  await writeFile(files[1] ?? '', 'no package');
  const described = await repositoryFormats.rpm.describe(files);
  assert.deepEqual(
    described.map((one) => one?.id.name),
    ['alpha', undefined, 'alpha'],
  );
  assert.equal(described[0]?.sha256, described[2]?.sha256);
  await assert.rejects(repositoryFormats.rpm.describe([join(work, 'a\nb.rpm')]), /line break/);
});

test('DEB packages are described whatever they are called and wherever a link to them stands, and none for another', async (t) => {
  const work = await temporary(t);
  const made = await makePackage('deb', work, { name: 'alpha', version: '1-1' });
  const odd = await mkdtemp(join(work, "a b&<ä>'\n"));
  const names = ['plain.deb', ' a%20b.deb', 'ü .udeb', 'line\nbreak.deb', '#1.deb', 'link.deb'];
  for (const name of names.slice(0, -1)) await cp(made, join(odd, name));
  await symlink(made, join(odd, 'link.deb'));
  await writeFile(join(odd, 'text.deb'), 'no package');
  const files = [...names, 'text.deb', 'absent.deb', 'plain.deb'].map((name) => join(odd, name));
  const described = await repositoryFormats.deb.describe([...files, made]);
  const good = (one: (typeof described)[number]) => one?.id.name === 'alpha' && one.sha256 === described[0]?.sha256;
  assert.deepEqual(described.map(good), [...names.map(() => true), false, false, true, true]);
});

test('what a package of an RPM list is called is read alike with and without taking all of it apart', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab.-~^&<>"\' \n/=é') }).map(escaped);
  const [sum, number] = [fc.stringMatching(/^[0-9a-f]{64}$/), fc.nat()];
  fc.assert(
    fc.property(fc.record({ name: text, version: text, said: text, path: text, sum, number }), (one) => {
      const element = `<package type="rpm">
  <name>${one.name}</name>
  <arch>noarch</arch>
  <version epoch="1" ver="${one.version}" rel="2"/>
  <checksum type="sha256" pkgid="YES">${one.sum}</checksum>
  <summary>${one.said}</summary>
  <description>${one.said}</description>
  <packager></packager>
  <url>${one.said}</url>
  <time file="1" build="2"/>
  <size package="${one.number}" installed="5" archive="408"/>
  <location href="${one.path}"/>
  <format>
    <file>/x</file>
  </format>
</package>
`;
      const whole = parsePrimary(`<metadata>${element}</metadata>`);
      assert.deepEqual(namedIn([element, element.replace(' pkgid="YES"', '')]), [...whole, ...whole]);
    }),
  );
});

test('a Release file says what apt-ftparchive says', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const file = await makePackage('deb', work, { name: 'alpha', version: '1' });
  const settings = { codename: 'test', architectures: ['arm64', 'amd64'], origin: 'Hörnchen & Co' };
  await publishPackages(repositoryFormats.deb, { dir, files: [file], settings, date: new Date() });
  const written = await readFile(join(dir, 'dists/test/Release'), 'utf8');
  await cp(join(dir, 'dists/test'), join(work, 'dist'), {
    recursive: true,
    filter: (one) => !/Release|by-hash/.test(one),
  });
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(written)?.[1] ?? '';
  const names = ['Origin', 'Label', 'Suite', 'Codename', 'Architectures', 'Components', 'Description'];
  const options = names.map((name) => `APT::FTPArchive::Release::${name}=${field(name)}`);
  const off = ['MD5', 'SHA1', 'SHA512'].map((name) => `APT::FTPArchive::${name}=false`);
  const all = [...options, ...off, 'APT::FTPArchive::DoByHash=true'].flatMap((one) => ['-o', one]);
  const { stdout } = await must('apt-ftparchive', [...all, 'release', join(work, 'dist')]);
  const sorted = (text: string) =>
    text
      .replace(/^Date: .*$/m, '')
      .split('\n')
      .sort();
  assert.deepEqual(sorted(written), sorted(stdout));
  assert.match(field('Origin'), /Hörnchen/);
});
