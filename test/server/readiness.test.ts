import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeNotReady } from '../../activities/review/port.ts';
import type { ChangeFacts, GateAnswer } from '../../pipelines/gate/command.ts';
import type { Change } from '../../pipelines/model/change.ts';
import { obstacles } from '../../server/events/obstacles.ts';
import { brings, createReadiness, readyEvent, unreadyAround } from '../../server/events/readiness.ts';
import { route, type View } from '../../server/events/route.ts';
import { Telling } from '../../server/events/telling.ts';
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
    await readiness.note(view, 'gate');
    for (const other of [readiness, createReadiness({ ledger })]) assert.deepEqual(await other.find(view), []);
    const next = { patchset: 2, key: `${view.change.id},2` };
    assert.deepEqual(await readiness.find(viewOf(connection, { ...given, ...next })), ['gate']);
  });
}

/** What each of two changes needs; by whom a queue takes both in where one of them comes in. */
const linked: readonly (readonly [what: string, needs: readonly [string[], string[]], noted: readonly string[]])[] = [
  ['a cycle', [['review:2'], ['review:1']], ['review:1,1', 'review:2,1']],
  ['what it needs', [['review:2'], []], ['review:1,1', 'review:2,1']],
  ['what needs it', [[], ['review:1']], ['review:1,1', 'review:2,1']],
  ['nobody else', [[], []], ['review:1,1']],
];

for (const [what, needs, noted] of linked) {
  test(`what comes in with a change has had its turn as well: ${what}`, async () => {
    const known = new Set<string>();
    const ledger = { ...openLedger(), markTold: async (key: string) => void known.add(key) };
    const { find, note } = createReadiness({ ledger });
    const [one, two] = viewsOf(needs);
    await note(two, 'check');
    await note(one, 'post');
    assert.deepEqual([...known], [], 'pipelines that wait for no such thing');
    const unapproved = one.around.map((each) => ({ ...each, missing: ['a vote'] }));
    await note({ ...one, around: unapproved }, 'gate');
    assert.deepEqual([...known], [], 'it did not come in');
    await note(one, 'gate');
    assert.deepEqual([...known].map((mark) => JSON.parse(mark.replace('ready/', ''))[1]).sort(), noted);
    assert.deepEqual(await find(two), noted.length === 2 ? [] : ['gate']);
  });
}

test('the same counts where somebody asks for it, or another queue’s news brings it in, and the gate takes it', async () => {
  const ways = {
    asked: async (telling: Telling, view: View) => (await telling.ask('gate', view)).ok,
    told: (telling: Telling, view: View) => telling.sendOf(view, route(view, readyEvent(view.change, 'gate'))),
  };
  for (const [way, bring] of Object.entries(ways)) {
    let answer: GateAnswer = { ok: false, reason: 'it is closed' };
    const gates = { tell: async () => {}, inform: async () => {}, ask: async () => answer };
    const telling = new Telling({ gates, ledger: openLedger() });
    const [one, two] = viewsOf([['review:2'], ['review:1']]);
    if (way === 'asked') await bring(telling, one);
    assert.deepEqual(await telling.readiness.find(two), ['gate']);
    answer = { ok: true };
    await bring(telling, one);
    for (const view of [one, two]) assert.deepEqual(await telling.readiness.find(view), [], way);
  }
});

/** Two changes of one queue, each with the other around it. */
function viewsOf(needs: readonly [string[], string[]]): readonly [View, View] {
  const facts = needs.map((dependsOn, index) => {
    const own = change(`review:${index + 1}`, { connection: 'review', missing: [], dependsOn });
    const { gate } = own.placements;
    assert.ok(gate);
    return { ...own, placements: { ...own.placements, gate: { ...gate, allowCircularDependencies: true } } };
  });
  const [one, two] = facts.map((each) => ({ ...viewOf('review', {}), change: each, around: facts }));
  assert.ok(one && two);
  return [one, two];
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
  const ledger = openLedger();
  const { find } = createReadiness({ ledger, hadBefore });
  const view = viewOf('review', {});
  for (const _ of ['asked', 'known']) assert.deepEqual(await find(view), []);
  assert.deepEqual(asked, [{ pipeline: 'gate', key: view.change.key }]);
  const later = createReadiness({ ledger, hadBefore: () => assert.fail('asked again after a start') });
  assert.deepEqual(await later.find(view), []);
});

test('of open changes only those are looked at that may be ready, each after a while again', async () => {
  const { due, find, note } = createReadiness({ ledger: openLedger() });
  const [one, draft] = [
    change('review:1', { connection: 'review' }),
    change('review:2', { connection: 'review', wip: true }),
  ];
  const now = Date.now();
  const listed = { layout, connection: 'review', open: [one, draft] };
  const ids = (time: number) => due({ ...listed, time }).map(({ id }) => id);
  assert.deepEqual(ids(now), ['review:1']);
  await find(viewOf('review', { missing: ['a check is pending'] }));
  assert.deepEqual([ids(now), ids(Date.now() + 3_600_000)], [[], ['review:1']]);
  await note(viewOf('review', {}), 'gate');
  assert.deepEqual(ids(Date.now() + 3_600_000), [], 'it has had its turn');
  assert.deepEqual(due({ ...listed, open: [], time: now }), []);
  const again = change('review:1', { connection: 'review', patchset: 2 });
  const reopened = { ...listed, open: [again], time: Date.now() };
  assert.deepEqual(due(reopened), [again], 'what was open no more is forgotten, also where nothing is open');
});

test('a change that its project has no jobs for is asked about only where it may bring some', async () => {
  const { due } = createReadiness({ ledger: openLedger() });
  const idOf = (number: number) => `review:${number}`;
  const facts = (number: number, more: Partial<ChangeFacts>) =>
    change(idOf(number), { connection: 'review', placements: {}, ...more });
  const open = [
    facts(1, {}),
    facts(2, { files: ['zuul.yaml'] }),
    facts(3, { parents: [idOf(2)] }),
    facts(4, { dependsOn: [idOf(1), idOf(9)] }),
    change(idOf(5), { connection: 'review' }),
  ];
  const found = due({ layout, connection: 'review', open, time: Date.now() });
  assert.deepEqual(
    found.map(({ id }) => id),
    [2, 3, 5].map(idOf),
  );
});

test('what was read around a change is looked at with it; what is ready there gets a look of its own', async () => {
  const readiness = createReadiness({ ledger: openLedger() });
  const [one, two] = viewsOf([[], ['review:1']]);
  const missing = { ...two.change, missing: ['a vote'] };
  const away = { ...one, around: [one.change, missing], unready: new ChangeNotReady('not yet') };
  assert.deepEqual(await unreadyAround(readiness, away), [], 'of what its host cannot say nothing is known');
  assert.deepEqual(await unreadyAround(readiness, one), [], 'it is ready');
  const joining = { ...missing, placements: {} };
  assert.deepEqual(await unreadyAround(readiness, { ...one, around: [one.change, joining] }), [], 'it may bring jobs');
  assert.deepEqual(await unreadyAround(readiness, { ...one, around: [one.change, missing] }), [missing.id]);
  const listed = { layout, connection: 'review', open: [one.change, missing], time: Date.now() };
  assert.deepEqual(readiness.due(listed), [one.change]);
});

test('what keeps a change out of a pipeline that goes by its state alone is told of it', () => {
  const view = viewOf('review', { missing: ['a vote'] });
  const rule = (event: string) => ({ connection: 'review', body: { event } });
  const obstaclesWith = (...events: string[]) => {
    const pipeline = { ...pipelines.gate, name: 'gate', triggers: events.map(rule) };
    const own = { pipelines: new Map([['gate', { pipeline }]]) } as unknown as View['layout'];
    return obstacles({ ...view, layout: own }, [], 0);
  };
  const [found, ...others] = obstaclesWith('change-ready');
  assert.deepEqual([found?.pipeline, found?.latest, others], ['gate', false, []]);
  assert.match(found?.reason ?? '', /a vote/);
  assert.deepEqual(obstaclesWith('change-ready', 'comment-added'), [], 'nobody has wanted it there yet');
});
