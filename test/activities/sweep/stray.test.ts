import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Shown, strayBuildSets } from '../../../activities/sweep/stray.ts';

const open = [
  { workflow: 'one', gate: 'gate' },
  { workflow: 'two', gate: 'gate' },
];

const rows: [says: string, standing: Shown | undefined, expected: string[]][] = [
  ['a gate that has ended waits for none', 'ended', ['one', 'two']],
  ['what an open gate does not wait for is closed', [{ workflow: 'two' }, { workflow: null }], ['one']],
  ['a gate that does not answer keeps all', 'silent', []],
  ['so does one that was not asked', undefined, []],
];
for (const [says, standing, expected] of rows) {
  test(`W3: ${says}`, () => {
    const gates = new Map(standing === undefined ? [] : [['gate', standing]]);
    assert.deepEqual(strayBuildSets(open, gates), expected);
  });
}
