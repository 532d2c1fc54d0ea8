import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mostStates, staysForClients } from '../../../pipelines/policy/former-files.ts';

const since = Date.parse('2026-11-27T12:00:00Z');

test('what an index named once stays for its time, but not for more than a hundred states', () => {
  const former = { last: '000007', since };
  const stays = (number: number, seconds: number, keep = 60) =>
    staysForClients(former, { number, now: since + seconds * 1000, keep });
  const cases: readonly [states: number, seconds: number, stays: boolean][] = [
    [1, 0, true],
    [100, 59, true],
    [100, 60, false],
    [101, 0, false],
    [1, -3600, true],
  ];
  assert.equal(mostStates, 100);
  for (const [states, seconds, wanted] of cases)
    assert.equal(stays(7 + states, seconds), wanted, `${states} ${seconds}`);
  assert.equal(stays(8, 0, 0), false);
});

test('whatever the clock says, what is kept goes once, and never before its time', () => {
  const times = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 2, maxLength: 90 });
  const check = (ticks: readonly number[], keep: number) => {
    let [now, real] = [since, since];
    const seen: boolean[] = [];
    for (const [position, tick] of ticks.entries()) {
      // The repository's clock is never behind what it has seen.
      real += Math.abs(tick) * 1000;
      now = Math.max(now, since + (real - since) * (tick < 0 ? -1 : 1));
      const stays = staysForClients({ last: '000001', since }, { number: position + 2, now, keep });
      if (real - since < keep * 1000) assert.ok(stays, 'dropped early');
      seen.push(stays);
    }
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => Number(b) - Number(a)),
      'came back',
    );
  };
  fc.assert(fc.property(times, fc.integer({ min: 1, max: 2000 }), check));
});
