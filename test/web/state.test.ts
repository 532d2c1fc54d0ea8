import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderBuild } from '../../web/build.ts';
import { stateOf, tookOf } from '../../web/state.ts';
import { aBuild } from '../server/records.ts';

test('a build waits, runs, or has its result; what never began took no time', () => {
  const time = { startTime: 10, endTime: null };
  assert.equal(stateOf({ result: null, waiting: true }), 'waiting');
  assert.equal(stateOf({ result: null }), 'running');
  assert.equal(stateOf({ result: 'CANCELED', waiting: true }), 'CANCELED');
  assert.equal(tookOf(time), undefined);
  assert.equal(tookOf({ startTime: 10, endTime: 30 }), 20);
  assert.equal(tookOf({ startTime: 10, endTime: 30, waiting: true }), undefined);
});

test('the page of a build that waits says so', () => {
  const build = aBuild({ result: null, endTime: null, waiting: true, summary: 'waits for a place on a worker' });
  const { markup } = renderBuild(
    { build, logs: [], attempts: [], byHand: {}, workflowUrl: null },
    build.startTime + 5_000,
  );
  assert.match(markup, /· waiting · for 5\.0 s/);
  assert.doesNotMatch(markup, /running/);
});

test('I10: the page of a failed build says how long its machines are kept, and how a shell is had there', () => {
  const until = Date.UTC(2026, 11, 18, 3);
  const metadata = { type: 'machines', nodes: ['server'], until };
  const build = aBuild({ artifacts: [{ name: 'machines', url: '/api/machines/kept/b1', metadata }] });
  const { markup } = renderBuild({ build, logs: [], attempts: [], byHand: {}, workflowUrl: null }, build.startTime);
  assert.match(markup, /href="\/api\/machines\/kept\/b1">machines<\/a>.*kept until 2026-12-18 03:00:00 UTC/);
  assert.ok(markup.includes(`<code>sluice vm debug ${build.id}</code>`), markup);
});
