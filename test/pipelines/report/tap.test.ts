import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tapText } from '../../../pipelines/report/tap.ts';
import { tapPasses } from '../../../pipelines/test-service/tap.ts';

const good = { suite: 'install alpha 1.0', name: 'install', seconds: 0.25 };
const bad = { ...good, name: 'check #1', failure: { message: 'ended with 1: "x"\nand more', text: 'long' } };
const left = { ...good, name: 'remove', skipped: 'the system cannot be without it' };

test('cases are written as TAP, line by line', () => {
  const lines = [
    ...['TAP version 14', '1..3', 'ok 1 - install alpha 1.0: install', '  ---', '  duration_ms: 250', '  ...'],
    ...['not ok 2 - install alpha 1.0: check \\#1', '  ---', '  message: "ended with 1: \\"x\\"\\nand more"'],
    ...['  duration_ms: 250', '  ...'],
    ...['ok 3 - install alpha 1.0: remove # SKIP the system cannot be without it', '  ---', '  duration_ms: 250'],
    ...['  ...', ''],
  ];
  assert.equal(tapText([good, bad, left]), lines.join('\n'));
});

test('what was written is read as it was meant', () => {
  assert.equal(tapPasses(tapText([good, left])), true);
  assert.equal(tapPasses(tapText([good, bad])), false);
  assert.equal(tapPasses(tapText([])), true);
});
