import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeNotReady } from '../../activities/review/port.ts';
import type { ChangeFacts } from '../../pipelines/gate/command.ts';
import type { Change } from '../../pipelines/model/change.ts';
import { brings, createReadiness, readyEvent } from '../../server/events/readiness.ts';
import { route, type View } from '../../server/events/route.ts';
import { pipelines } from '../activities/layout/shipped-pipelines.ts';
import { change } from '../workflows/make.ts';

const layout = {
  pipelines: new Map(Object.values(pipelines).map((pipeline) => [pipeline.name, { pipeline }])),
} as unknown as View['layout'];

/** What each host's people give a change, so that the shipped gate takes it. */
const approvals: readonly (readonly [connection: string, given: Partial<Change>])[] = [
  ['review', {}],
  ['labelled', { votes: [{ label: 'Workflow', value: 1, by: 'bob', time: 0 }] }],
  ['hub', { votes: [{ label: 'review', value: 1, by: 'bob', time: 0, permission: 'write' }] }],
  ['app', { labels: ['gate me'], currentLabels: ['gate me'] }],
  ['lab', { votes: [{ label: 'approved', value: 1, by: 'bob', time: 0 }] }],
  ['tea', { votes: [{ label: 'approved', value: 1, by: 'bob', time: 0 }] }],
];

function viewOf(connection: string, more: Partial<ChangeFacts>): View {
  const one: ChangeFacts = { ...change(`${connection}:1`, { connection }), missing: [], ...more };
  return { tenant: 't', layout, change: one, around: [one], joins: new Set(), proposals: [] };
}

function openLedger() {
  const told = new Set<string>();
  return {
    wasTold: async (key: string) => told.has(key),
    markTold: async (key: string) => void told.add(key),
  };
}

for (const [connection, given] of approvals) {
  test(`${connection}: a change is ready once for each patch set, and once nothing is missing`, async () => {
    const ledger = openLedger();
    const readiness = createReadiness({ ledger });
    const view = viewOf(connection, given);
    assert.deepEqual(await readiness.find(viewOf(connection, { ...given, missing: ['a check is pending'] })), []);
    if (Object.keys(given).length > 0) assert.deepEqual(await readiness.find(viewOf(connection, {})), []);
    assert.deepEqual(await readiness.find(view), ['gate']);
    const told = route(view, readyEvent(view.change, 'gate'));
    assert.deepEqual(
      told.map(({ gate }) => gate.pipeline),
      ['gate'],
    );
    assert.ok(brings(told, 'gate') && !brings(told, 'check'));
    assert.deepEqual(await readiness.find(view), ['gate'], 'until that was noted');
    await readiness.note({ pipeline: 'gate', key: view.change.key });
    for (const other of [readiness, createReadiness({ ledger })]) assert.deepEqual(await other.find(view), []);
    const next = { patchset: 2, key: `${view.change.id},2` };
    assert.deepEqual(await readiness.find(viewOf(connection, { ...given, ...next })), ['gate']);
  });
}

test('of what its host cannot say, what is not open, and what its project does not use nothing is said', async () => {
  const { find } = createReadiness({ ledger: openLedger() });
  const unready = new ChangeNotReady('not yet');
  assert.deepEqual(await find({ ...viewOf('review', {}), unready }), []);
  for (const status of ['merged', 'abandoned'] as const) assert.deepEqual(await find(viewOf('review', { status })), []);
  assert.deepEqual(await find(viewOf('review', { placements: {} })), []);
  assert.deepEqual(await find(viewOf('git', {})), [], 'what happens at the built-in host is never missed');
});

test('what a gate has worked on before that was noted has had its turn', async () => {
  const asked: unknown[] = [];
  const hadBefore = async (place: unknown) => asked.push(place) > 0;
  const { find } = createReadiness({ ledger: openLedger(), hadBefore });
  const view = viewOf('review', {});
  for (const _ of ['asked', 'known']) assert.deepEqual(await find(view), []);
  assert.deepEqual(asked, [{ pipeline: 'gate', key: view.change.key }]);
});

test('of open changes only those are looked at that may be ready, each after a while again', async () => {
  const { due, find, note } = createReadiness({ ledger: openLedger() });
  const [one, draft] = [
    change('review:1', { connection: 'review' }),
    change('review:2', { connection: 'review', wip: true }),
  ];
  const now = Date.now();
  const ids = (time: number) => due(layout, [one, draft], time).map(({ id }) => id);
  assert.deepEqual(ids(now), ['review:1']);
  await find(viewOf('review', { missing: ['a check is pending'] }));
  assert.deepEqual([ids(now), ids(Date.now() + 3_600_000)], [[], ['review:1']]);
  await note({ pipeline: 'gate', key: one.key });
  assert.deepEqual(ids(Date.now() + 3_600_000), [], 'it has had its turn');
  assert.deepEqual(due(layout, [], now), []);
});
