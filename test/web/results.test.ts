import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusView } from '../../server/api/types.ts';
import { ownPath } from '../../web/address.ts';
import { renderChangeBuilds } from '../../web/build.ts';
import { decidingFailure } from '../../web/failure.ts';
import { renderQueues, shortId, shortKey } from '../../web/queues.ts';
import { renderBuildSets, renderMirrorRows, renderMirrors, renderReleaseRows } from '../../web/results.ts';
import { aBuild, aBuildSet, aMirror, aQueue, aRelease } from '../server/records.ts';

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

test('a release links to its workflow, whichever line it went into, and one of before to what it is called', () => {
  const before = aRelease({ id: 'release/main/debian-12/one' });
  const inLine = aRelease({ id: 'release/main/debian-12/two/deb-next', workflow: 'release/main/debian-12/two' });
  const { markup } = renderReleaseRows([before, inLine], { workflowUrl: '/temporal/' }, 10_000);
  const links = [...markup.matchAll(/href="\/temporal\/([^"]*)"/g)].map(([, name = '']) => decodeURIComponent(name));
  assert.deepEqual(links, ['release/main/debian-12/one', 'release/main/debian-12/two']);
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

test('a transaction of mirrors that failed says on which host, and why', () => {
  const error = { code: 'munged', message: 'set "munge symlinks = no" on the daemon' };
  const hosts = { far: { outcome: 'failed', error }, near: { outcome: 'rolled-back', error: null } };
  const { markup } = renderMirrorRows([aMirror({ outcome: 'failed', snapshot: null, result: { hosts } })], 10_000);
  assert.deepEqual(markup.match(/class="meta reason bad">[^<]*/g), [
    'class="meta reason bad">far: set &quot;munge symlinks = no&quot; on the daemon',
  ]);
});

test('F5: builds of a change are grouped by patch set and run, the newest first; jobs in order, attempts together', () => {
  const row = (id: string, given: Partial<Parameters<typeof aBuild>[0] & object>) => aBuild({ id, ...given });
  const builds = [
    row('lint', { job: 'lint', buildSet: 'gate-2.1', patchset: 2, startTime: 9_000 }),
    row('two', { job: 'build', buildSet: 'gate-2.1', patchset: 2, startTime: 8_000, attempt: 2 }),
    row('one', { job: 'build', buildSet: 'gate-2.1', patchset: 2, startTime: 7_000, attempt: 1 }),
    row('before', { job: 'build', buildSet: 'gate-1.1', patchset: 2, startTime: 5_000 }),
    row('hand', { job: 'build', buildSet: 'gate-1.1', patchset: 2, startTime: 6_000, alone: true, attempt: 3 }),
    row('old', { job: 'build', buildSet: 'check-1.1', patchset: 1, startTime: 1_000 }),
  ];
  const { markup } = renderChangeBuilds(builds, 10_000);
  const order = [...markup.matchAll(/Patch set \d|href="\/build\/(\w+)"/g)].map(([whole, id]) => id ?? whole);
  assert.deepEqual(order, ['Patch set 2', 'one', 'two', 'lint', 'hand', 'before', 'Patch set 1', 'old']);
});

test('R5: reports that were given up are drawn with their reason, and lead to the change', () => {
  const none = { time: 0, workflowUrl: null, running: [], releases: [], mirrors: [], estimates: {}, buildSets: [] };
  const lost = { key: 'k', kind: 'report' as const, changes: ['git:5,2'], reason: 'no permission', time: 1_000 };
  const queues = [aQueue({ undelivered: [lost] })];
  const { markup } = renderQueues({ ...none, failures: [], queues } as StatusView, 10_000);
  assert.match(
    markup,
    /A report on <a href="\/change\/git%3A5"><code>git:5,2<\/code><\/a>\s+was given up: no permission/,
  );
});

test('F8: what the server offers is linked by its path, whoever looks from wherever', () => {
  assert.equal(ownPath('http://172.17.0.1:8080/repositories/test/git-5-1-deb/'), '/repositories/test/git-5-1-deb/');
  assert.equal(ownPath('https://elsewhere.example/x'), 'https://elsewhere.example/x');
});
