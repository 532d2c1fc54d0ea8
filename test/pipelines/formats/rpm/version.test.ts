import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { must } from '../../../../activities/process/run.ts';
import { compareVersions, explainVersion, parseVersion } from '../../../../pipelines/formats/rpm/version.ts';
import { samplePairs } from '../pairs.ts';

/** What rpm itself says of each pair, by its Lua interface reading a file. */
async function askRpm(pairs: readonly (readonly [string, string])[]): Promise<readonly number[]> {
  const directory = await mkdtemp(join(tmpdir(), 'rpm-version-'));
  try {
    const file = join(directory, 'pairs');
    await writeFile(file, pairs.map(([a, b]) => `${a}\t${b}\n`).join(''));
    const script = `for line in io.lines("${file}") do local a, b = line:match("^(.*)\\t(.*)$")
      print(rpm.vercmp(a, b) .. "\\n") end`;
    const { stdout } = await must('rpm', ['--eval', `%{lua: ${script}}`]);
    return stdout.trim().split('\n').map(Number);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('random and adversarial pairs are ordered as rpm orders them', async () => {
  const pairs = samplePairs(10_000).filter(([a, b]) => a !== '' && b !== '');
  const expected = await askRpm(pairs);
  assert.equal(expected.length, pairs.length);
  const wrong = pairs.filter(([a, b], i) => compareVersions(a, b) !== expected[i]);
  assert.deepEqual(wrong, []);
});

test('only the empty version cannot be parsed', () => {
  assert.equal(explainVersion(''), 'the version is empty');
  assert.equal(explainVersion(':1--2'), null);
  assert.throws(() => compareVersions('', '1'), /RangeError: "": the version is empty/);
  assert.deepEqual(parseVersion('1:2.3-4^x'), { epoch: '1', version: '2.3', release: '4^x' });
  assert.deepEqual(parseVersion('2.3'), { epoch: '0', version: '2.3', release: null });
});
