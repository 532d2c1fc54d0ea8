import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkers } from '../../../activities/lint/checkers.ts';
import { lintCases, lintSummary } from '../../../activities/lint/stage.ts';
import { parseLintian, unreadByLintian } from '../../../pipelines/formats/deb/lintian.ts';
import { parseRpmlint, unreadByRpmlint } from '../../../pipelines/formats/rpm/rpmlint.ts';
import { compareRemarks } from '../../../pipelines/model/lint.ts';

const what = { format: 'deb', platform: 'debian-12' } as const;

test("lintian's remarks are read, overridden ones as such", () => {
  const output = 'E: a: bad-thing x y [usr/bin/a]\nW: a source: odd\nO: a: known reason\nN: a note\n';
  assert.deepEqual(parseLintian(output), [
    { package: 'a', severity: 'error', tag: 'bad-thing', detail: 'x y [usr/bin/a]' },
    { package: 'a', severity: 'warning', tag: 'odd', detail: '' },
    { package: 'a', severity: 'overridden', tag: 'known', detail: 'reason' },
  ]);
});

test("rpmlint's remarks are read, of packages and of spec files", () => {
  assert.deepEqual(parseRpmlint('a.x86_64: E: no-binary\na.spec:12: W: setup-not-quiet\n1 packages checked\n'), [
    { package: 'a.x86_64', severity: 'error', tag: 'no-binary', detail: '' },
    { package: 'a.spec', severity: 'warning', tag: 'setup-not-quiet', detail: '', place: { file: 'a.spec', line: 12 } },
  ]);
});

test('an error counts only when the released version does not have it; its numbers do not matter', () => {
  const released = parseLintian('E: a: old-error line 12 of version 1.0-1\n');
  const built = parseLintian('E: a: old-error line 14 of version 1.0+c2-1\nE: a: new-error\nW: a: new-warning\n');
  const report = compareRemarks(what, built, released);
  assert.equal(report.failures, 1);
  assert.equal(lintSummary(report), 'a: new-error');
  assert.equal(lintSummary(compareRemarks(what, released, released)), 'no new errors (1 known, 0 warnings)');
  assert.equal(lintCases(report)[0]?.failure?.message, 'new-error');
  assert.equal(compareRemarks(what, released, []).failures, 1, 'nothing released: every error is new');
});

test('P15: a package that the checker cannot read is an error, whatever it says of the others', () => {
  const lintian =
    'dpkg-deb: error: unexpected end of file in archive magic version number in ./worse_1_all.deb\n' +
    'Skipping ./worse_1_all.deb: Non-zero status 2 from tar --wildcards -xO -f - *control:\nE: okay: no-copyright-file\n';
  assert.deepEqual(unreadByLintian(lintian), [
    {
      package: 'worse_1_all.deb',
      severity: 'error',
      tag: 'cannot-be-read',
      detail: 'Non-zero status 2 from tar --wildcards -xO -f - *control:',
    },
  ]);
  assert.ok(checkers.deb.finished(1, `${lintian}No packages selected.\n`), 'a verdict, no fault of the checker');
  const rpmlint = '(none): E: fatal error while reading bad-1-1.noarch.rpm: error reading package header\n';
  assert.deepEqual(unreadByRpmlint(rpmlint), [
    {
      package: 'bad-1-1.noarch.rpm',
      severity: 'error',
      tag: 'cannot-be-read',
      detail: 'error reading package header',
    },
  ]);
  assert.deepEqual(parseRpmlint(rpmlint), []);
  assert.ok(!checkers.rpm.finished(3, rpmlint), 'it is asked again for the other packages');
});
