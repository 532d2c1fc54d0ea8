import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debianCandidates, debianFiles } from '../../../activities/build/rpm/debian-names.ts';
import { alternativesOf } from '../../../activities/build/rpm/requirement.ts';

const names: readonly (readonly [string, string])[] = [
  ['zlib-devel', 'zlib1g-dev'],
  ['gcc-c++', 'g++'],
  ['libfoo-devel', 'libfoo-dev'],
  ['foo-devel', 'libfoo-dev'],
  ['python3dist(zope.interface)', 'python3-zope-interface'],
  ['make', 'make'],
  ['bison', 'bison'],
];

for (const [name, debian] of names) {
  test(`${name} is ${debian} in Debian`, () => assert.deepEqual(debianCandidates(name)[0], [debian]));
}

test('a name that no package can have has no candidates', () => {
  for (const name of ['--option', 'a;b', '$(id)', 'a b', '']) assert.deepEqual(debianCandidates(name), []);
});

const files: readonly (readonly [string, string, boolean])[] = [
  ['pkgconfig(zlib)', 'usr/lib/x86_64-linux-gnu/pkgconfig/zlib.pc', true],
  ['pkgconfig(zlib)', 'usr/lib/x86_64-linux-gnu/pkgconfig/zlib2.pc', false],
  ['pkgconfig(gtk+-3.0)', 'usr/lib/x86_64-linux-gnu/pkgconfig/gtk+-3.0.pc', true],
  ['/usr/bin/perl', 'usr/bin/perl', true],
  ['/usr/bin/perl', 'usr/bin/perlbug', false],
  ['perl(File::Find)', 'usr/share/perl/5.36.0/File/Find.pm', true],
  ['cmake(Foo)', 'usr/lib/cmake/Foo/FooConfig.cmake', true],
];

for (const [capability, path, fits] of files) {
  test(`${path} ${fits ? 'is' : 'is not'} ${capability}`, () => {
    assert.equal(
      debianFiles(capability).some((pattern) => pattern.test(path)),
      fits,
    );
  });
}

test('rich requirements are alternatives of lists', () => {
  const read = (text: string) => alternativesOf(text)?.map((list) => list.map(({ name }) => name));
  assert.deepEqual(read('a >= 1'), [['a']]);
  assert.deepEqual(read('(a or (b and c))'), [['a'], ['b', 'c']]);
  assert.deepEqual(read('((a or b) and c)'), [
    ['a', 'c'],
    ['b', 'c'],
  ]);
  assert.deepEqual(read('(a >= 1 with a < 2)'), [['a', 'a']]);
  assert.equal(read('(a if b)'), undefined);
});

test('a version that is asked for is compared with the one there is', () => {
  const [[requirement] = []] = alternativesOf('a >= 1:2-3') ?? [];
  assert.ok(requirement);
  assert.equal(
    requirement.accepts((other) => (other === '2' ? 0 : -1)),
    true,
    'epoch and release are left out',
  );
  assert.equal(
    requirement.accepts(() => -1),
    false,
  );
});
