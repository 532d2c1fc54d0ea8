import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../../../activities/process/run.ts';
import { noarchDifference, noarchQuery } from '../../../../pipelines/formats/rpm/noarch.ts';
import { makePackage, type Sample, temporary } from '../../../activities/repository/packages.ts';

const sample: Sample = { name: 'common', version: '1.0', requires: ['sh'], files: { '/usr/share/common/a': 'one\n' } };

const rows: readonly [says: string, other: Partial<Sample>, difference: RegExp | null][] = [
  ['the same', {}, null],
  ['other content of a file', { files: { '/usr/share/common/a': 'another\n' } }, null],
  [
    'a file more',
    { files: { '/usr/share/common/a': 'one\n', '/usr/share/common/b': 'two\n' } },
    /^only there: file \/usr\/share\/common\/b /,
  ],
  ['a file of another kind', { configuration: ['/usr/share/common/a'] }, /^only here: file \/usr\/share\/common\/a /],
  ['another requirement', { requires: ['bash'] }, /^only here: requires sh$/],
  ['a scriptlet', { after: 'true' }, /^only there: requires \/bin\/sh$/],
  ['another version', { version: '1.1' }, /^only here: version 1\.0-/],
];

test('two builds of one package for every architecture differ by what rpm says of them, but for content and times', async (t) => {
  // Most have one name and version, and so one file: each has a directory of its own.
  const describe = async (one: Sample) => {
    const file = await makePackage('rpm', await temporary(t), one);
    const argv = ['--query', '--package', '--nosignature', '--queryformat', noarchQuery, file];
    return (await must('rpm', argv)).stdout;
  };
  const own = await describe(sample);
  await Promise.all(
    rows.map(async ([says, other, difference]) => {
      const found = noarchDifference(own, await describe({ ...sample, ...other }));
      if (difference === null) assert.equal(found, null, says);
      else assert.match(found ?? '', difference, says);
    }),
  );
});
