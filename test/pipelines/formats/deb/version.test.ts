import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../../../activities/process/run.ts';
import { compareVersions, explainVersion, parseVersion } from '../../../../pipelines/formats/deb/version.ts';
import { samplePairs } from '../pairs.ts';

const comparer = `
use Dpkg::Version;
while (<STDIN>) { chomp; my ($a, $b) = split /\\t/, $_, -1; print version_compare($a, $b), "\\n"; }`;

/** What dpkg's own library says of each pair. */
async function askDpkg(pairs: readonly (readonly [string, string])[]): Promise<readonly number[]> {
  const input = pairs.map(([a, b]) => `${a}\t${b}\n`).join('');
  const { stdout } = await must('perl', ['-e', comparer], { input });
  return stdout.trim().split('\n').map(Number);
}

/** Which of the versions `dpkg --validate-version` accepts. */
async function askValid(versions: readonly string[]): Promise<readonly boolean[]> {
  const loop = 'for v; do if dpkg --validate-version -- "$v" 2>/dev/null; then echo 1; else echo 0; fi; done';
  const { stdout } = await must('sh', ['-c', loop, 'sh', ...versions]);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line === '1');
}

test('random and adversarial pairs are ordered as dpkg orders them', async () => {
  // The library takes no sign before an epoch; the program does (next test).
  const valid = samplePairs(30_000).filter((pair) => pair.every((text) => parseVersion(text) && !/^ *[+-]/.test(text)));
  assert.ok(valid.length > 5_000, `only ${valid.length} valid pairs`);
  const expected = await askDpkg(valid.map(([a, b]) => [a.trim(), b.trim()]));
  const wrong = valid.filter(([a, b], i) => compareVersions(a, b) !== expected[i]);
  assert.deepEqual(wrong, []);
});

test('what dpkg --validate-version refuses is refused, and nothing else', async () => {
  const odd = [
    '',
    ' ',
    ' 1 ',
    '1 ',
    '1 2',
    '1:',
    ':1',
    '-1',
    '1-',
    '+1:2',
    '1:-1',
    '1:2:3-4',
    '1-2:3',
    '~1',
    '1~',
    '1_2',
  ];
  const controls = ['\t', '\n', '\v', '\f', '\r'].flatMap((one) => [
    `${one}1`,
    `1${one}`,
    `1${one}2`,
    `${one}1:2`,
    `${one}-0:1`,
  ]);
  const versions = [...odd, ...controls, '2147483647:1', '2147483648:1', '1é', ...samplePairs(400).flat()];
  const accepted = await askValid(versions);
  const wrong = versions.filter((version, i) => (explainVersion(version) === null) !== accepted[i]);
  assert.deepEqual(wrong, []);
});

test('a refused version is explained, and comparing it throws', () => {
  assert.equal(explainVersion('a1'), 'the upstream version does not start with a digit');
  assert.throws(() => compareVersions('1', '1-'), /RangeError: "1-": the revision is empty/);
  assert.deepEqual(parseVersion('1:2.3-4~x'), { epoch: 1, upstream: '2.3', revision: '4~x' });
});
