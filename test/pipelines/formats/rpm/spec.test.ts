import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changelogEntry,
  countedPart,
  parseSpecHead,
  readExpandedSpec,
  rewriteSpec,
} from '../../../../pipelines/formats/rpm/spec.ts';

const spec = `%global ver 1.2
%define rel 3
Name: tool
Epoch: 2
Version: %{ver}
Release: %{rel}%{?dist}
%package libs
Release: 9
%description
%changelog
* Mon Jan 06 2025 A <a@b> - 1.2-1
- first
`;

test('simple macros of the preamble are expanded, the platform tag is left out', () => {
  const head = parseSpecHead(spec);
  assert.deepEqual(head, { name: 'tool', epoch: '2', version: '1.2', release: '3' });
  assert.equal(head && countedPart(head), '2:1.2');
  assert.equal(parseSpecHead('describe("x", () => {})'), null);
});

test("only the main package's release is replaced, and the new entry stands before the old ones", () => {
  const changed = rewriteSpec(spec, { release: '3%{?dist}.7', changelog: '* new\n' });
  assert.match(changed, /^Release: 3%\{\?dist\}\.7$/m);
  assert.match(changed, /%package libs\nRelease: 9\n/);
  assert.match(changed, /%changelog\n\* new\n\n\* Mon Jan 06 2025/);
  assert.match(
    rewriteSpec('Name: a\n%changelog\n%autochangelog\n', { release: '1', changelog: '* new' }),
    /%changelog\n\* new\n$/,
  );
});

test('an entry is dated no earlier than the newest one, and its macros are plain text', () => {
  const commits = [{ id: 'a'.repeat(40), subject: 'Use %{x}\n* fake <b>', author: 'B' }];
  const entry = { commits, author: 'B', email: 'b@c', time: 0, version: '1' };
  const text = changelogEntry(spec, entry);
  assert.equal(text, '* Mon Jan 06 2025 B <b@c> - 1\n- aaaaaaaaaaaa Use %%{x} * fake b [B]\n');
  assert.match(changelogEntry(spec, { ...entry, time: 1_800_000_000 }), /^\* Fri Jan 15 2027 B/);
});

const directories: readonly { readonly what: string; readonly text: string; readonly directory: string | null }[] = [
  { what: '%setup without a name', text: 'Name: a\nVersion: 1\n%prep\n%setup -q\n', directory: 'a-1' },
  { what: '%setup -n', text: 'Name: a\nVersion: 1\n%prep\n%setup -q -n b\n', directory: 'b' },
  { what: '%setup -c', text: 'Name: a\nVersion: 1\n%prep\n%setup -q -c\n', directory: '' },
  { what: 'expanded', text: "%prep\nrm -rf 'x-2/y'\n/usr/lib/rpm/rpmuncompress -x z\ncd 'x-2/y'\n", directory: 'x-2' },
  {
    what: 'expanded -c, and a directory that is entered afterwards',
    text: "%prep\nrm -rf 'a-1'\n/bin/mkdir -p 'a-1'\ncd 'a-1'\n/bin/chmod -Rf a+rX,u+w,g-w,o-w .\ncd foo\n%build\n",
    directory: 'foo',
  },
  { what: 'no %setup at all', text: 'Name: a\nVersion: 1\n%prep\n%build\n', directory: null },
];

for (const { what, text, directory } of directories) {
  test(`the sources' top directory: ${what}`, () => assert.equal(readExpandedSpec(text).directory, directory));
}

test('files are named by the last part of their addresses', () => {
  const text = 'Source: https://x/%20/a-1.tar.gz\nPatch12: b.patch\nSource2: https://x/get#/c.txt\nRequires: d\n';
  assert.deepEqual(readExpandedSpec(text).files, [
    { tag: 'Source', name: 'a-1.tar.gz' },
    { tag: 'Patch12', name: 'b.patch' },
    { tag: 'Source2', name: 'c.txt' },
  ]);
});

test('P9: files of a %sourcelist and a %patchlist are named as those of tags; files that are kept out are told', () => {
  const lists = '%sourcelist\na.conf\n# no\nhttps://x/y#/b.conf\n\n%patchlist\nc.patch\n%description\nword\n';
  const read = readExpandedSpec(`Source0: a-1.tar.gz\n${lists}`);
  assert.deepEqual(
    read.files.map(({ tag, name }) => `${tag} ${name}`),
    ['Source0 a-1.tar.gz', 'Source a.conf', 'Source b.conf', 'Patch c.patch'],
  );
  assert.equal(read.withheld, false);
  assert.equal(readExpandedSpec('Source0: a-1.tar.gz\nNoSource: 0\n').withheld, true);
});
