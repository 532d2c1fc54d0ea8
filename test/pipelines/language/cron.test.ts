import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jitterOf, nextTime, parseCron } from '../../../pipelines/language/cron.ts';

const rows: readonly (readonly [says: string, spec: string, after: string, next: string | undefined])[] = [
  ['every hour at half past', '30 * * * *', '2030-01-07T00:00:00Z', '2030-01-07T00:30:00Z'],
  ['the time itself is over', '30 * * * *', '2030-01-07T00:30:00Z', '2030-01-07T01:30:00Z'],
  ['steps', '*/20 * * * *', '2030-01-07T00:21:00Z', '2030-01-07T00:40:00Z'],
  ['a range with a step', '0 8-20/6 * * *', '2030-01-07T09:00:00Z', '2030-01-07T14:00:00Z'],
  ['lists', '5,50 3 * * *', '2030-01-07T03:06:00Z', '2030-01-07T03:50:00Z'],
  ['0 is Monday', '0 0 * * 0', '2030-01-08T00:00:00Z', '2030-01-14T00:00:00Z'],
  ['weekdays by name', '0 0 * * fri', '2030-01-07T00:00:00Z', '2030-01-11T00:00:00Z'],
  ['day and weekday must both fit', '0 0 13 * fri', '2030-01-07T00:00:00Z', '2030-09-13T00:00:00Z'],
  ['a month by name', '0 0 1 mar *', '2030-01-07T00:00:00Z', '2030-03-01T00:00:00Z'],
  ['the last day of the month', '0 0 last feb *', '2032-01-01T00:00:00Z', '2032-02-29T00:00:00Z'],
  ['the second Friday', '0 0 2nd fri * *', '2030-01-07T00:00:00Z', '2030-01-11T00:00:00Z'],
  ['seconds in a sixth field', '0 0 * * * 15', '2030-01-07T00:00:00Z', '2030-01-07T00:00:15Z'],
  ['a day that never comes', '0 0 31 feb *', '2030-01-07T00:00:00Z', undefined],
];

for (const [says, spec, after, next] of rows) {
  test(`${says}: ${spec}`, () => {
    const cron = parseCron(spec);
    assert.ok(cron);
    const found = nextTime(cron, Date.parse(after));
    assert.equal(found === undefined ? undefined : new Date(found).toISOString().replace('.000', ''), next);
  });
}

for (const spec of [
  '',
  '* * * *',
  '60 * * * *',
  '* * * * 7',
  '* * * * * 0 x',
  '*/0 * * * *',
  '5-1 * * * *',
  'a * * * *',
]) {
  test(`refused: "${spec}"`, () => assert.equal(parseCron(spec), undefined));
}

test('the jitter is below its limit and always the same', () => {
  const cron = parseCron('0 0 * * * 0 60');
  assert.ok(cron);
  const delays = ['p/a master', 'p/b master', 'p/c master'].map((name) => jitterOf(cron, name));
  assert.ok(delays.every((delay) => delay >= 0 && delay < 60_000));
  assert.equal(new Set(delays).size, 3);
  assert.equal(jitterOf(cron, 'p/a master'), delays[0]);
});
