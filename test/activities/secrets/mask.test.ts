import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BuildLog } from '../../../activities/ports.ts';
import { createMask } from '../../../activities/secrets/mask.ts';

/** A log that keeps what is written to it. */
function keeper() {
  const parts: string[] = [];
  const log: BuildLog = {
    write: (text) => void parts.push(text),
    section: (title) => void parts.push(`[${title}]`),
    close: () => Promise.reject(new Error('not closed here')),
  };
  return { log, text: () => parts.join('') };
}

/** What a log holds after these pieces were written to it through a mask of these values. */
function written(values: readonly string[], pieces: readonly string[]): string {
  const kept = keeper();
  const log = createMask(values).log(kept.log);
  for (const piece of pieces) log.write(piece);
  log.end();
  return kept.text();
}

for (const [sentence, values, text, shown] of [
  ['a value is not shown', ['hunter22'], 'pw=hunter22.', 'pw=[secret].'],
  ['each line of a value is not shown', ['first line\nsecond line\n'], 'x second line y', 'x [secret] y'],
  ['a value is not shown as JSON writes it', ['say "yes"\\'], '{"a":"say \\"yes\\"\\\\"}', '{"a":"[secret]"}'],
  ['a value with short lines is not shown as a whole', ['a\nb\nc'], 'a\nb\nc\na\nb', '[secret]\na\nb'],
  ['the longer of two values goes first', ['abcd', 'abcdef'], 'abcdef abcd', '[secret] [secret]'],
  ['what is an expression elsewhere is text here', ['a.c*(d)[e'], 'abcd a.c*(d)[e', 'abcd [secret]'],
  ['what is shorter than four characters stays', ['abc'], 'abc', 'abc'],
  ['a beginning alone is shown in the end', ['hunter22'], 'hunter2', 'hunter2'],
  ['a value inside what looks like another’s beginning is not shown', ['aaab', 'xaaaa'], 'xaaab', 'x[secret]'],
] as const) {
  test(sentence, () => assert.equal(written(values, [text]), shown));
}

test('a secret in several pieces is not shown, however it is cut', () => {
  const values = ['-----KEY-----\nMIIabcdef\nMIIabcxyz\n-----END-----\n', 'MIIab'];
  const text = `a ${values[0]} b ${values[1]} c MIIabcde`;
  const whole = written(values, [text]);
  assert.doesNotMatch(whole, /MIIab/);
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), text.length];
      const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
      assert.equal(written(values, pieces), whole);
    }),
  );
});

test('a section’s title is clean, and comes after what was written before it', () => {
  const kept = keeper();
  const mask = createMask(['hunter22']);
  const log = mask.log(kept.log);
  log.write('hunt');
  assert.equal(kept.text(), '');
  log.section('Run hunter22');
  assert.equal(kept.text(), 'hunt[Run [secret]]');
  assert.equal(mask.found, true);
});

test('results are clean in every corner', () => {
  const mask = createMask(['hunter22']);
  const result = { summary: 'hunter22', data: { list: ['x hunter22'], hunter22: 1, none: null }, ok: true };
  assert.deepEqual(mask.data(result), {
    summary: '[secret]',
    data: { list: ['x [secret]'], '[secret]': 1, none: null },
    ok: true,
  });
});
