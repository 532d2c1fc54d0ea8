import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusView } from '../../server/api/types.ts';
import { renderChangeBuilds } from '../../web/build.ts';
import { decidingFailure } from '../../web/failure.ts';
import { shortId, shortKey } from '../../web/queues.ts';
import { renderBuildSets, renderMirrors } from '../../web/results.ts';
import { aBuild, aBuildSet, aMirror } from '../server/records.ts';

const lint = aBuild({ id: 'lint', job: 'lint', result: 'FAILURE', summary: '2 new errors', endTime: 3_000 });
const tests = aBuild({ id: 'test', job: 'systest', result: 'TIMED_OUT', summary: '', endTime: 4_000 });
const stopped = aBuild({ id: 'stop', job: 'install', result: 'CANCELED', endTime: 1_000 });
const advice = aBuild({ id: 'advice', job: 'spell', result: 'FAILURE', voting: false, endTime: 1_000 });

const decisions: readonly [says: string, builds: Parameters<typeof decidingFailure>[0], id: string | undefined][] = [
  ['the voting build that failed first decides', [tests, lint, stopped, advice], 'lint'],
  [
    'an attempt that was followed by another does not count',
    [tests, lint, aBuild({ job: 'lint', attempt: 2 })],
    'test',
  ],
  ['a run by hand does not count', [{ ...lint, alone: true }], undefined],
  ['where nothing failed there is none', [aBuild()], undefined],
];
for (const [says, builds, id] of decisions) test(says, () => assert.equal(decidingFailure(builds)?.id, id));

const names: readonly [id: string, patchset: number, shown: string][] = [
  [`I${'0123456789'.repeat(4)}`, 2, 'I01234567,2'],
  ['git:7', 1, 'git:7,1'],
  [`git:tinycdb:refs/heads/master@c06f3a0${'1'.repeat(33)}`, 0, 'master @ c06f3a0'],
  [`git:libs/x:refs/tags/v1@2${'a'.repeat(39)}`, 0, 'v1 @ 2aaaaaa'],
  ['git:tinycdb:refs/heads/master@', 0, 'master'],
];
for (const [id, patchset, shown] of names) {
  test(`${id} is shown as ${shown}`, () => {
    assert.equal(shortKey(id, patchset), shown);
    assert.ok(shown.startsWith(shortId(id)));
  });
}

test('a failed build set says which job failed and why, on the main page and on the change’s', () => {
  const failed = aBuildSet({ result: 'FAILURE' });
  const none = { time: 0, workflowUrl: null, queues: [], running: [], releases: [], mirrors: [], estimates: {} };
  const view: StatusView = { ...none, buildSets: [failed], failures: [lint] };
  const reason = '<a href="/build/lint">lint</a>: 2 new errors';
  assert.ok(renderBuildSets(view, 10_000).markup.includes(reason));
  assert.ok(renderChangeBuilds([tests, lint], 10_000).markup.includes(reason));
});

test('on a change’s page the last build set alone decides', () => {
  const again = aBuild({ id: 'again', buildSet: 'gate-1.2', startTime: 9_000 });
  assert.doesNotMatch(renderChangeBuilds([again, lint], 10_000).markup, /class="meta reason/);
});

test('W13: sets that were never synced are listed, and rollbacks are called by their name', () => {
  const none = { time: 0, workflowUrl: null, queues: [], running: [], releases: [], estimates: {} };
  const mirrors = [aMirror({ set: 'deb', result: { did: 'rolled-back', hosts: {} } })];
  const view: StatusView = { ...none, buildSets: [], failures: [], mirrors, unsyncedMirrors: ['deb', 'rpm'] };
  const { markup } = renderMirrors(view, 10_000);
  assert.match(markup, /rolled back: committed/);
  assert.match(markup, /id="mirror-set-rpm"/);
  assert.doesNotMatch(markup, /id="mirror-set-deb"/);
});
