import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dpkgWarnings,
  explainWarnings,
  knownWarnings,
  type PackageFacts,
  parseDpkgWarnings,
  warnedPackages,
} from '../../../../pipelines/formats/deb/warnings.ts';
import type { LintRemark } from '../../../../pipelines/model/lint.ts';

const variable = (name: string) => `substitution variable \${${name}}`;
const undefinedIn = (name: string, what: string, field = 'Depends') =>
  `dpkg-gencontrol: warning: ${field} field of package ${name}: ${variable(what)} used, but is not defined`;
const unusedIn = (name: string, what: string) =>
  `dpkg-gencontrol: warning: package ${name}: ${variable(what)} unused, but is defined`;
const noFacts: PackageFacts = { source: {}, built: {}, found: '', needed: [] };
const judge = (line: string, facts: Partial<PackageFacts> = {}) =>
  parseDpkgWarnings(explainWarnings([line], () => ({ ...noFacts, ...facts })).join('\n'))[0] as LintRemark;

test('P16: what dpkg warns of is a finding, each once; what it says of the machine is none', () => {
  const output = [
    'dpkg-gencontrol: warning: File::FcntlLock not available; using flock which is not NFS-safe',
    undefinedIn('foo', 'no:Such'),
    undefinedIn('foo', 'no:Such'),
    unusedIn('foo', 'python3:Versions'),
    'dpkg-shlibdeps: warning: debian/foo/usr/bin/foo contains an unresolvable reference to symbol bar',
    'gcc: warning: none of ours',
  ].join('\n');
  assert.deepEqual(warnedPackages(dpkgWarnings(output)), ['foo']);
  assert.deepEqual(
    parseDpkgWarnings(output).map(({ package: name, severity, tag }) => `${severity} ${name} ${tag}`),
    [
      'error foo undefined-substitution-variable',
      'warning foo unused-substitution-variable',
      'warning source dpkg-shlibdeps-warning',
    ],
  );
});

test('P16: the words of older dpkg count as well', () => {
  const old = `dpkg-gencontrol: warning: Depends field of package foo: unknown substitution variable \${no:Such}`;
  assert.equal(parseDpkgWarnings(old)[0]?.severity, 'error');
  const unused = `dpkg-gencontrol: warning: package foo: unused substitution variable \${perl:Depends}`;
  assert.equal(parseDpkgWarnings(unused)[0]?.severity, 'warning');
});

test('P16: an error is what leaves half a name, or libraries that the package does not depend on', () => {
  const cases: readonly (readonly [string, string, Partial<PackageFacts>, 'error' | 'warning', RegExp])[] = [
    [
      'half a name',
      undefinedIn('foo', 'perl:Api'),
      { source: { Depends: `bar, foo-\${perl:Api} (>= 1)` } },
      'error',
      /leaves "foo- \(>= 1\)"/,
    ],
    [
      'often empty, alone',
      undefinedIn('foo', 'misc:Depends'),
      { source: { Depends: `\${misc:Depends}, bar` } },
      'warning',
      /defined$/,
    ],
    [
      'nobody defines it',
      undefinedIn('foo', 'my:Depends'),
      { source: { Depends: `\${my:Depends}` } },
      'error',
      /defined$/,
    ],
    [
      'a script',
      undefinedIn('foo', 'shlibs:Depends'),
      { source: { Depends: `\${shlibs:Depends}` } },
      'warning',
      /defined$/,
    ],
    [
      'a program without dh_shlibdeps',
      undefinedIn('foo', 'shlibs:Depends'),
      { source: { Depends: `\${shlibs:Depends}` }, needed: ['libc.so.6', 'libz.so.1'] },
      'error',
      /not depend on libc\.so\.6, libz\.so\.1$/,
    ],
    [
      'the same, written by hand',
      undefinedIn('foo', 'shlibs:Depends'),
      { built: { Depends: 'libc6' }, needed: ['libc.so.6'] },
      'warning',
      /defined$/,
    ],
    [
      'without Depends',
      unusedIn('foo', 'shlibs:Depends'),
      { found: 'libc6 (>= 2.34), zlib1g (>= 1:1.1.4)' },
      'error',
      /not depend on libc6, zlib1g$/,
    ],
    [
      'without Depends, by hand',
      unusedIn('foo', 'shlibs:Depends'),
      { found: 'libc6 (>= 2.34)', built: { 'Pre-Depends': 'libc6 (>= 2.30)' } },
      'warning',
      /defined$/,
    ],
    ['unused, of another helper', unusedIn('foo', 'python3:Depends'), { found: 'libc6' }, 'warning', /defined$/],
  ];
  for (const [what, line, facts, severity, detail] of cases) {
    const remark = judge(line, facts);
    assert.equal(remark.severity, severity, what);
    assert.match(remark.detail, detail, what);
  }
});

test('P16: what the released version has as well is known; what it has otherwise is new', () => {
  const half = judge(undefinedIn('foo', 'no:Such'), { source: { Depends: `foo-\${no:Such} (= \${binary:Version})` } });
  const dropped = judge(unusedIn('foo', 'shlibs:Depends'), { found: 'libc6' });
  const released = (depends: string, built: Readonly<Record<string, string>>) => ({
    source: [{ Source: 'foo' }, { Package: 'foo', Depends: depends }],
    binaries: [{ Package: 'foo', Architecture: 'amd64', ...built }],
  });
  const asNow = released(`foo-\${no:Such} (= \${binary:Version})`, { Depends: 'foo- (= 1.0-1)' });
  assert.deepEqual(knownWarnings([half], asNow), [half]);
  const wasDefined = released(`foo-\${no:Such} (= \${binary:Version})`, { Depends: 'foo-5 (= 1.0-1)' });
  assert.deepEqual(knownWarnings([half], wasDefined), [], 'it had a value then');
  assert.deepEqual(knownWarnings([half], released('bar', { Depends: 'bar' })), []);
  assert.deepEqual(knownWarnings([half], { source: [], binaries: [] }), [], 'never released');
  const both = judge(undefinedIn('foo', 'no:Such'), { source: { Depends: `foo-\${no:Such}, bar-\${no:Such}` } });
  assert.deepEqual(knownWarnings([both], released(`foo-\${no:Such}`, { Depends: 'foo-' })), [], 'one of them is new');
  assert.deepEqual(knownWarnings([dropped], released('', {})), [dropped]);
  assert.deepEqual(knownWarnings([dropped], released(`\${shlibs:Depends}`, { Depends: 'libc6' })), []);
  assert.deepEqual(knownWarnings([dropped], released('', { Architecture: 'all' })), [], 'it had no programs then');
});
