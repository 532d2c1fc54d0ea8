import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { opensAt, parseWindow, type SyncWindow } from '../../../pipelines/mirror/window.ts';

const minute = 60_000;
const day = 1440 * minute;

function windowOf(text: string): SyncWindow {
  const window = parseWindow(text);
  if (typeof window === 'string') throw new Error(window);
  return window;
}

describe('a window opens', () => {
  // Clocks of Paris go from 02:00 to 03:00 on 29 March 2026, and from 03:00 back to 02:00 on 25 October.
  const rows = [
    ['later on that day', '22:00-23:00', '2026-01-01T21:59:59Z', '2026-01-01T22:00Z'],
    ['not while it is open', '22:00-23:00', '2026-01-01T22:00:00Z', null],
    ['to its last minute', '22:00-23:00', '2026-01-01T22:59:59Z', null],
    ['on the next day', '22:00-23:00', '2026-01-01T23:00:00Z', '2026-01-02T22:00Z'],
    ['over midnight', '22:00-06:00', '2026-01-02T05:59:00Z', null],
    ['after a night', '22:00-06:00', '2026-01-02T06:00:00Z', '2026-01-02T22:00Z'],
    ['to the end of the day', '20:00-24:00', '2026-01-02T23:59:00Z', null],
    ['at midnight', '00:00-06:00', '2026-01-02T06:00:00Z', '2026-01-03T00:00Z'],
    ['in its time zone, in winter', '22:00-06:00 Europe/Paris', '2026-01-02T06:00:00Z', '2026-01-02T21:00Z'],
    ['in its time zone, in summer', '22:00-06:00 Europe/Paris', '2026-07-02T06:00:00Z', '2026-07-02T20:00Z'],
    ['half an hour off', '22:00-06:00 Asia/Kolkata', '2026-07-02T06:00:00Z', '2026-07-02T16:30Z'],
    ['late where its begin is left out', '02:30-04:00 Europe/Paris', '2026-03-29T00:00:00Z', '2026-03-29T01:00Z'],
    ['not where all of it is', '02:10-02:50 Europe/Paris', '2026-03-28T02:00:00Z', '2026-03-30T00:10Z'],
    ['twice where it comes twice', '02:10-02:50 Europe/Paris', '2026-10-25T00:55:00Z', '2026-10-25T01:10Z'],
  ] as const;
  for (const [what, text, now, expected] of rows) {
    test(what, () => {
      const opens = opensAt(windowOf(text), Date.parse(now));
      assert.equal(opens, expected === null ? null : Date.parse(expected));
    });
  }
});

describe('is no window:', () => {
  const form = 'must be two times of the day and a time zone, such as "22:00-06:00 Europe/Paris"';
  const rows = [
    ['', form],
    ['22:00', form],
    ['9:00-10:00', form],
    ['24:00-01:00', form],
    ['10:60-11:00', form],
    ['22:00 - 06:00', form],
    ['22:00-24:01', form],
    ['22:00-22:00', 'must end at another time than it begins'],
    ['22:00-06:00 Europe/Nowhere', 'has an unknown time zone: "Europe/Nowhere"'],
  ] as const;
  for (const [text, why] of rows) test(JSON.stringify(text), () => assert.equal(parseWindow(text), why));
});

const zones = ['UTC', 'Europe/Paris', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia', 'Africa/Casablanca'];
const time = (minutes: number) => new Date(minutes * minute).toISOString().slice(11, 16);
const windows = fc
  .tuple(fc.nat(1439), fc.nat(1439), fc.constantFrom(...zones))
  .filter(([from, to]) => from !== to)
  .map(([from, to, zone]) => windowOf(`${time(from)}-${time(to)} ${zone}`));
const moments = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2040, 0) });

test('it opens within two days, is open then, and was shut a minute before and all the time till then', () => {
  fc.assert(
    fc.property(windows, moments, fc.double({ min: 0, max: 1, noNaN: true }), (window, now, part) => {
      const opens = opensAt(window, now);
      if (opens === null) return;
      assert.ok(opens > now && opens <= now + 2 * day + 60 * minute);
      assert.equal(opensAt(window, opens), null);
      assert.equal(opensAt(window, Math.max(now, opens - minute)), opens);
      assert.equal(opensAt(window, now + Math.floor((opens - 1 - now) * part)), opens);
    }),
    { numRuns: 60 },
  );
});

test('where clocks stay as they are, it is open or shut as arithmetic says', () => {
  const utc = fc
    .tuple(fc.nat(1439), fc.nat(1439))
    .filter(([from, to]) => from !== to)
    .map(([from, to]) => [from, to, windowOf(`${time(from)}-${time(to)}`)] as const);
  fc.assert(
    fc.property(utc, moments, ([from, to, window], now) => {
      const since = (now / minute - from + 1440) % 1440;
      const length = (to - from + 1440) % 1440;
      const begin = Math.floor(now / day) * day + from * minute;
      const next = begin > now ? begin : begin + day;
      assert.equal(opensAt(window, now), since < length ? null : next);
    }),
    { numRuns: 100 },
  );
});
