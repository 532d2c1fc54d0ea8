import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readPackages } from '../../../activities/repository/deb/packages-list.ts';
import { parseControl } from '../../../pipelines/formats/deb/control.ts';
import { packageFile } from '../../../pipelines/formats/deb/release.ts';

/** What the general reader of control data makes of a list. */
function slowly(text: string) {
  return parseControl(text).map((paragraph) => {
    const { Package: name = '', Version: version = '', Architecture: arch = '' } = paragraph;
    return { kind: 'binary', name, version, arch, ...packageFile(paragraph) };
  });
}

const usual = [
  'Package: alpha',
  'Version: 1:2.0-1~deb12u1',
  'Architecture: amd64',
  'Maintainer: Zoë Łoś <zoe@example.org>',
  'Depends: libc6 (>= 2.36), beta | gamma',
  'Filename: pool/main/a/alpha/alpha_2.0-1_amd64.deb',
  'Size: 1234',
  `SHA256: ${'ab'.repeat(32)}`,
  `MD5sum: ${'12'.repeat(16)}`,
  'Description: a package',
  ' of several lines',
  ' .',
].join('\n');

test('a list as archives write it is read as the general reader reads it', () => {
  const text = [usual, usual.replaceAll('alpha', 'beta'), `${usual.replace('SHA256', 'SHA512')}\n`].join('\n\n');
  assert.deepEqual(readPackages(Buffer.from(text)), slowly(text));
  assert.equal(readPackages(Buffer.from(text)).length, 3);
  assert.deepEqual(readPackages(Buffer.from('')), []);
});

test('whatever stands in a list, both readers make the same of it', () => {
  const names = ['Package', 'package', 'PACKAGE', 'Version', 'Architecture', 'Filename', 'Size', 'SHA256', 'sha256'];
  const field = fc
    .tuple(
      fc.constantFrom(...names, 'SHA1', 'MD5sum', 'MD5Sum', 'Maintainer', 'Depends', '-x', 'Pre Depends'),
      fc.constantFrom(':', ': ', ':\t ', ' : ', ''),
      fc.constantFrom('alpha', 'a: b', '7', 'ü', ' blank ', '', 'pool/a.deb', '\r', '\u2028x'),
    )
    .map((parts) => parts.join(''));
  const odd = fc.constantFrom(
    ' continued',
    '\tcontinued',
    ' .',
    '',
    '  ',
    '\t',
    ':',
    '#x',
    usual,
    'Filename: pool/b.deb',
  );
  const list = fc.array(fc.oneof(field, odd, field), { maxLength: 24 }).map((lines) => lines.join('\n'));
  const ended = fc.tuple(list, fc.constantFrom('', '\n', '\n\n', '\n \n')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(ended, (text) => {
      assert.deepEqual(readPackages(Buffer.from(text)), slowly(text));
    }),
    { numRuns: 3000 },
  );
});
