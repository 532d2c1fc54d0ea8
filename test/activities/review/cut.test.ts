import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutTo, showing } from '../../../activities/review/cut.ts';

test('I9: a report that is too long for its host ends with where the rest is, at the end of a line', () => {
  const report = Array.from({ length: 100 }, (_, at) => `- job-${at} SUCCESS in 1m 02s`).join('\n');
  const cut = cutTo(report, 1_000, showing('https://ci.example.org', 'hub:a/b#1'));
  assert.ok(cut.length <= 1_000 && cut.length > 900);
  assert.match(
    cut,
    /\n- job-\d+ SUCCESS in 1m 02s\n\n… the rest is left out: https:\/\/ci\.example\.org\/change\/hub%3Aa%2Fb%231$/,
  );
  assert.match(cutTo(report, 1_000, showing('', 'review:7')), /left out: `sluice change show review:7`$/);
  assert.match(cutTo('x'.repeat(2_000), 1_000), /^x+\n…$/);
});

test('I9: whatever is cut is well-formed text of that length at most, and what is short enough stays as it is', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', 'é', '\ud83d\ude00', '\ud800'), maxLength: 300 });
  fc.assert(
    fc.property(text, fc.integer({ min: 100, max: 300 }), (whole, most) => {
      const cut = cutTo(whole, most, 'https://ci.example.org');
      assert.ok(cut.length <= most && cut.isWellFormed());
      if (whole.length <= most) assert.equal(cut, whole.toWellFormed());
    }),
  );
});
