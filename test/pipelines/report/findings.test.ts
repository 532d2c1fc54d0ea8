import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLintian } from '../../../pipelines/formats/deb/lintian.ts';
import { parseDpkgWarnings } from '../../../pipelines/formats/deb/warnings.ts';
import { parseRpmlint } from '../../../pipelines/formats/rpm/rpmlint.ts';
import { compareRemarks, type LintRemark } from '../../../pipelines/model/lint.ts';
import { commentsOn, lintComments } from '../../../pipelines/report/findings.ts';

const substitution = `dpkg-gencontrol: warning: Depends field of package foo: substitution variable \${no:Such} used`;

/** What a checker says, and which places in the sources that names. */
const places: readonly (readonly [says: string, remarks: readonly LintRemark[], place: LintRemark['place']])[] = [
  ['W: a source: odd [debian/rules:5]', [], { file: 'debian/rules', line: 5 }],
  ['W: a source: odd because of x [debian/control]', [], { file: 'debian/control' }],
  ['W: a source: odd [debian/changelog:1]', [], { file: 'debian/changelog' }],
  ['W: a: odd [usr/bin/a]', [], undefined],
  ['W: a source: odd', [], undefined],
  ['a.spec:17: E: bad in x', parseRpmlint('a.spec:17: E: bad in x'), { file: 'a.spec', line: 17 }],
  ['a.spec: E: bad', parseRpmlint('a.spec: E: bad'), { file: 'a.spec' }],
  ['a.src: E: bad', parseRpmlint('a.src: E: bad'), undefined],
  [substitution, parseDpkgWarnings(substitution), { file: 'debian/control' }],
];

for (const [says, remarks, place] of places) {
  test(`I9: the place in the sources is read: ${says}`, () => {
    const [remark] = remarks.length > 0 ? remarks : parseLintian(says);
    assert.deepEqual(remark?.place, place);
  });
}

const report = (platform: string, output: string, released = '') =>
  compareRemarks({ format: 'deb', platform }, parseLintian(output), parseLintian(released));

test('I9: only what is new and wrong is a comment; what platforms have in common is said once', () => {
  const output =
    'E: a source: bad x [debian/rules:5]\nW: a source: odd [debian/rules:6]\nI: a source: so [debian/rules:7]\n';
  const known = 'W: a source: odd [debian/rules:2]\n';
  const both = ['debian-12', 'debian-13'].flatMap((name) => lintComments(report(name, output, known)));
  assert.deepEqual(commentsOn(['debian/rules'], both), [
    { file: 'debian/rules', line: 5, message: 'error: bad x (debian-12, debian-13)', level: 'error' },
  ]);
});

test('I9: a line that has moved makes no other comment of it, and what is known of the release is none', () => {
  const at = (line: number) => `W: a source: debian-rules-calls-pwd [debian/rules:${line}]\n`;
  const said = (output: string, released = '') => lintComments(report('debian-12', output, released));
  const [before, after] = [said(at(52)), said(at(53))];
  assert.deepEqual([before[0]?.line, after[0]?.line], [52, 53]);
  assert.equal(before[0]?.message, 'warning: debian-rules-calls-pwd');
  assert.equal(after[0]?.message, before[0]?.message);
  assert.deepEqual(said(at(53), at(52)), []);
  assert.equal(said('W: a source: odd [a] b [debian/control]\n')[0]?.message, 'warning: odd [a] b');
});

test('I9: comments are on files of the change; a spec is found in its folder where there is one such', () => {
  const comments = ['a', 'b', 'x.spec', '../a', ''].map((file) => ({ file, line: 0, message: 'odd' }));
  const on = (...files: string[]) => commentsOn(files, comments).map(({ file, line }) => [file, line]);
  assert.deepEqual(on('a', 'rpm/x.spec'), [
    ['a', undefined],
    ['rpm/x.spec', undefined],
  ]);
  assert.deepEqual(on('one/x.spec', 'two/x.spec'), []);
  assert.equal(
    commentsOn(
      ['a'],
      Array.from({ length: 300 }, (_, n) => ({ file: 'a', message: `${n}` })),
    ).length,
    100,
  );
});
