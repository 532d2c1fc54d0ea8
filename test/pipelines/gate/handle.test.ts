import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GateAction } from '../../../pipelines/gate/action.ts';
import type { ChangeFacts, GateCommand } from '../../../pipelines/gate/command.ts';
import { decide } from '../../../pipelines/gate/decide.ts';
import { evolve } from '../../../pipelines/gate/evolve.ts';
import { handle } from '../../../pipelines/gate/handle.ts';
import { pending } from '../../../pipelines/gate/pending.ts';
import { type GateState, initialGate } from '../../../pipelines/gate/state.ts';
import type { FrozenJob, JobGraph } from '../../../pipelines/model/job.ts';
import type { Pipeline } from '../../../pipelines/model/pipeline.ts';
import { graph, job } from '../jobs/sample.ts';
import {
  change,
  ended,
  enqueue,
  gateWith,
  pipeline,
  place,
  ready,
  running,
  started,
  type Told,
  tell,
} from './sample.ts';

function ofKind<K extends GateAction['kind']>(state: GateState, kind: K): readonly Extract<GateAction, { kind: K }>[] {
  return pending(state).filter((action): action is Extract<GateAction, { kind: K }> => action.kind === kind);
}

function queued(state: GateState): readonly string[] {
  return state.queues.flatMap((queue) => queue.items.flatMap((item) => item.changes));
}

test('when the head of twenty fails, the nineteen behind become preparable at once, each onto the one ahead', () => {
  const wide = pipeline({ window: { ...pipeline().window, size: 40 } });
  const state = tell(running(20, wide), ended('1.1', 'FAILURE', 'unit/1'));
  const prepares = ofKind(state, 'prepare');
  assert.equal(prepares.length, 19);
  assert.deepEqual(prepares[0], {
    kind: 'prepare',
    key: '2.2',
    pipeline: 'gate',
    queue: 'gate/core',
    changes: ['c2,1'],
    trigger: 'c2,1',
    ahead: [],
    base: null,
  });
  assert.deepEqual(
    prepares.slice(1).map((action) => action.base),
    prepares.slice(0, -1).map((action) => action.key),
  );
});

test('a window that a failure has halved lets no more through than it now holds', () => {
  const state = tell(running(20), ended('1.1', 'FAILURE', 'unit/1'));
  assert.equal(ofKind(state, 'prepare').length, 10);
});

const moved = { type: 'submitted', item: '1', merged: [], moved: 'master of p is no longer what was tested' } as const;
const refused = { type: 'submitted', item: '1', merged: [], refused: 'closed' } as const;
const landed = { type: 'submitted', item: '1', merged: ['c1,1'] } as const;

function prepared(state: GateState): readonly string[] {
  return ofKind(state, 'prepare').map(({ key, ahead, base }) => `${key} on ${[...ahead, base].join()}`);
}

const behindMerging: readonly [what: string, running: number, answer: Told, prepares: readonly string[]][] = [
  ['directly behind it, and that lands', 1, landed, []],
  ['directly behind it, and that is refused', 1, refused, ['2.2 on ']],
  ['directly behind it, and its branch was moved', 1, moved, ['1.2 on ', '2.2 on c1,1,1.2']],
  ['behind another one, and that lands', 2, landed, []],
  ['behind another one, and that is refused', 2, refused, ['2.2 on ', '3.2 on c2,1,2.2']],
  ['behind another one, and its branch was moved', 2, moved, ['1.2 on ', '2.2 on c1,1,1.2', '3.2 on c1,1,c2,1,2.2']],
];

for (const [what, count, answer, prepares] of behindMerging) {
  test(`what comes in while a change merges is prepared on top of that: ${what}`, () => {
    const ahead = Array.from({ length: count }, (_, index) => `c${index + 1},1`);
    const last = count + 1;
    const submitting = tell(running(count), ended('1.1', 'SUCCESS'), ...enqueue(`c${last}`));
    assert.deepEqual(prepared(submitting), [`${last}.1 on ${[...ahead, `${count}.1`].join()}`]);
    const begun = tell(submitting, ready(`${last}.1`), started(`${last}.1`));
    assert.deepEqual(prepared(tell(begun, answer)), prepares);
    // An answer that comes before it is prepared leaves it what it stands on.
    const early = tell(submitting, answer);
    assert.deepEqual(prepared(early), answer === landed ? prepared(submitting) : prepares);
  });
}

test('a gate that began before keeps what comes in while a change merges waiting for that', () => {
  const before = { ...running(2), stacksOnMerging: false };
  const submitting = tell(before, ended('1.1', 'SUCCESS'), ...enqueue('c3'));
  assert.deepEqual(prepared(submitting), []);
  assert.deepEqual(prepared(tell(submitting, landed)), ['3.1 on c2,1,2.1']);
});

/** Items that merge; those of three whose jobs have ended, the head's last. */
function merging(state: GateState): readonly string[] {
  return ofKind(state, 'submit').map(({ key }) => key);
}

const threeDone = (state: GateState) =>
  tell(state, ended('3.1', 'SUCCESS'), ended('2.1', 'SUCCESS'), ended('1.1', 'SUCCESS'));
const all = ['1.1/submit', '2.1/submit', '3.1/submit'];
const second = { type: 'submitted', item: '2' } as const;

const together: readonly [what: string, answers: readonly Told[], merging: readonly string[], prepares: string[]][] = [
  ['none has an answer', [], all, []],
  ['the first lands', [landed], all.slice(1), []],
  ['the first two land', [landed, { ...second, merged: ['c2,1'] }], all.slice(2), []],
  ['the first is refused', [refused], [], ['2.2 on ', '3.2 on c2,1,2.2']],
  ['the branch was moved', [moved], [], ['1.2 on ', '2.2 on c1,1,1.2', '3.2 on c1,1,c2,1,2.2']],
  ['the second is refused', [landed, { ...second, merged: [], refused: 'closed' }], [], ['3.2 on ']],
];

for (const [what, answers, submits, prepares] of together) {
  test(`items that are done when the one ahead begins to merge are merged with it: ${what}`, () => {
    const state = tell(threeDone(running(3)), ...answers);
    assert.deepEqual([merging(state), prepared(state)], [submits, prepares]);
  });
}

test('an item whose jobs end while the one ahead merges is merged after it', () => {
  const state = tell(running(3), ended('1.1', 'SUCCESS'), ended('3.1', 'SUCCESS'), ended('2.1', 'SUCCESS'));
  assert.deepEqual(merging(state), ['1.1/submit']);
  assert.deepEqual(merging(tell(state, landed)), ['2.1/submit', '3.1/submit']);
});

test('nothing is merged together across an item that is not done, or fails, or has reporter jobs', () => {
  const running2 = tell(running(3), ended('3.1', 'SUCCESS'), ended('1.1', 'SUCCESS'));
  assert.deepEqual(merging(running2), ['1.1/submit']);
  const failing = tell(running(3), ended('2.1', 'FAILURE'), ready('3.2'), ended('3.2', 'SUCCESS'));
  assert.deepEqual(merging(tell(failing, ended('1.1', 'SUCCESS'))), ['1.1/submit']);
  const reporting = graph(['unit', job('tell', { type: 'reporter' })]);
  const reporters = tell(gateWith(2), ready('1.1', reporting), ready('2.1'), ended('2.1', 'SUCCESS'));
  assert.deepEqual(merging(tell(reporters, ended('1.1', 'SUCCESS'))), ['1.1/submit']);
});

test('a gate that began before merges one by one', () => {
  const state = threeDone({ ...running(3), mergesTogether: false });
  assert.deepEqual(merging(state), ['1.1/submit']);
  assert.deepEqual(merging(tell(state, landed)), ['2.1/submit']);
});

test('a success at the head is submitted before it is reported, and then leaves', () => {
  const submitting = tell(running(2), ended('1.1', 'SUCCESS'));
  assert.deepEqual(
    ofKind(submitting, 'submit').map(({ changes, buildSet }) => [changes, buildSet]),
    [[['c1,1'], '1.1']],
  );
  assert.deepEqual(ofKind(submitting, 'report'), []);
  const merged = tell(submitting, { type: 'submitted', item: '1', merged: ['c1,1'] });
  assert.deepEqual(
    ofKind(merged, 'report').map(({ action, result }) => [action, result]),
    [['success', 'SUCCESS']],
  );
  assert.deepEqual(queued(merged), ['c2,1']);
  assert.deepEqual(
    ofKind(merged, 'build-set').map(({ key }) => key),
    ['2.1'],
  );
});

test('a refused submission is a failure, and those behind start anew', () => {
  const state = tell(running(2), ended('1.1', 'SUCCESS'), refused);
  assert.deepEqual(
    ofKind(state, 'report').map(({ result }) => result),
    ['MERGE_FAILURE'],
  );
  assert.deepEqual(
    ofKind(state, 'prepare').map(({ key }) => key),
    ['2.2'],
  );
});

const outrun: readonly [what: string, commands: readonly Told[], prepares: string[], results: string[]][] = [
  ['a branch that was moved meanwhile', [moved], ['1.2', '2.2'], []],
  ['one that is moved again', [moved, ready('1.2'), ended('1.2', 'SUCCESS'), moved], ['1.3', '2.3'], []],
  [
    'one that was moved, and then refuses',
    [moved, ready('1.2'), ended('1.2', 'SUCCESS'), { type: 'submitted', item: '1', merged: [], refused: 'no' }],
    ['2.3'],
    ['MERGE_FAILURE'],
  ],
  [
    'one that is moved each time',
    [2, 3, 4, 5, 6].flatMap((number) => [moved, ready(`1.${number}`), ended(`1.${number}`, 'SUCCESS')]).concat(moved),
    ['2.7'],
    ['MERGE_FAILURE'],
  ],
];

for (const [what, commands, prepares, results] of outrun) {
  test(`base-moved: ${what}: tested on the new tip, within reason`, () => {
    const state = tell(running(2), ended('1.1', 'SUCCESS'), ...commands);
    assert.deepEqual(
      ofKind(state, 'prepare').map(({ key }) => key),
      prepares,
    );
    assert.deepEqual(
      ofKind(state, 'report').map(({ result }) => result),
      results,
    );
    if (results.length > 0) assert.deepEqual(queued(state), ['c2,1']);
  });
}

/** A cycle of two at the head, and a change that is built on it. */
function cycling(): GateState {
  const inCycle = { ...place, allowCircularDependencies: true };
  const member = (id: string, other: string) => change(id, { dependsOn: [other], placements: { gate: inCycle } });
  const changes = [member('a', 'b'), member('b', 'a'), change('c', { placements: { gate: inCycle } })];
  const entries = ['a', 'c'].map((id): Told => ({ type: 'enqueue', pipeline: 'gate', change: id }));
  const builds = [ready('1.1'), ready('2.1'), started('1.1'), ended('1.1', 'SUCCESS')];
  return tell(gateWith(0), { type: 'observe', changes }, ...entries, ...builds);
}

const partly: readonly [what: string, answer: Partial<GateCommand & { type: 'submitted' }>, says: RegExp | null][] = [
  ['all of it is merged', { merged: ['a,1', 'b,1'] }, null],
  [
    'the second is refused',
    { merged: ['a,1'], refused: 'no' },
    /no\nMerged already: a,1\.\nNot merged: b\. .*`sluice enqueue --pipeline gate --change b`; or revert that\./,
  ],
  ['the branch of the second was moved', { merged: ['a,1'], moved: 'it moved' }, /it moved\nMerged already: a,1\./],
  ['the second is lost', { merged: ['a,1'], refused: '', unknown: ['b,1'] }, /Whether b,1 is merged is not known/],
];

for (const [what, answer, says] of partly) {
  test(`of a cycle ${what}`, () => {
    const state = tell(cycling(), { type: 'submitted', item: '1', merged: [], ...answer } as Told);
    const [report, ...others] = ofKind(state, 'report');
    assert.deepEqual(
      [report?.result, report?.changes, others],
      [says ? 'MERGE_FAILURE' : 'SUCCESS', ['a,1', 'b,1'], []],
    );
    if (says) assert.match(report?.message ?? '', says);
    assert.deepEqual(queued(state), ['c,1']);
    // What is behind is tested on what has merged.
    assert.deepEqual(
      ofKind(state, 'prepare').map(({ key, base, ahead }) => ({ key, base, ahead })),
      says ? [{ key: '2.2', base: null, ahead: [] }] : [],
    );
    if (!says) return;
    // What is left needs no other one any more.
    assert.deepEqual(queued(tell(state, { type: 'enqueue', pipeline: 'gate', change: 'b' })), ['c,1', 'b,1']);
  });
}

test('a cycle of which nothing is merged, for its branch was moved, is tested again as a whole', () => {
  const state = tell(cycling(), { type: 'submitted', item: '1', merged: [], moved: 'it moved' });
  assert.deepEqual(
    ofKind(state, 'prepare').map(({ key, changes, base }) => [key, changes, base]),
    [
      ['1.2', ['a,1', 'b,1'], null],
      ['2.2', ['c,1'], '1.2'],
    ],
  );
  assert.deepEqual(ofKind(state, 'report'), []);
});

test('base-moved: a cycle of which a part is merged is not tested again', () => {
  const state = tell(running(2), ended('1.1', 'SUCCESS'), { ...moved, merged: ['c1,1'] });
  assert.deepEqual(
    ofKind(state, 'report').map(({ result }) => result),
    ['MERGE_FAILURE'],
  );
});

test('a look that began before a merge and is told of after it takes nothing back', () => {
  const needs = { dependsOn: ['c1'] };
  const both = tell(gateWith(1), ...enqueue('c2', needs), ready('1.1'), ready('2.1'), started('1.1'), started('2.1'));
  const merged = tell(both, ended('1.1', 'SUCCESS'), { type: 'submitted', item: '1', merged: ['c1,1'] });
  for (const more of [{}, { missing: ['change c1 is merged'] }, { mergeable: false }]) {
    const state = tell(merged, { type: 'observe', changes: [change('c1', more), change('c2', needs)] });
    assert.deepEqual(queued(state), ['c2,1'], JSON.stringify(more));
    assert.equal(state.facts.changes['c1,1']?.status, 'merged');
  }
});

test('what its host begins to lack takes a change out of the gate, and is named', () => {
  const missing = ['Ada voted Approved -1', 'an approval'];
  const state = tell(running(2), { type: 'observe', changes: [change('c1', { missing })] });
  assert.deepEqual(
    ofKind(state, 'report').map(({ result, message }) => [result, message.split('\n')[0]]),
    [['FAILURE', 'This change cannot be merged any more: Ada voted Approved -1; an approval.']],
  );
  assert.deepEqual(queued(state), ['c2,1']);
});

const late: readonly (readonly [string, GateCommand])[] = [
  ['an old build set', { time: 99, ...ready('2.1') } as GateCommand],
  ['a build of an old build set', { time: 99, ...ended('2.1', 'SUCCESS') } as GateCommand],
  ['an item that is not being merged', { time: 99, type: 'submitted', item: '2', merged: ['c2,1'] }],
];
for (const [what, command] of late) {
  test(`a late answer for ${what} is void`, () => {
    const state = tell(running(3), ended('1.1', 'FAILURE'));
    const { answer, events } = decide(state, command);
    assert.equal(answer.ok, false);
    assert.deepEqual(
      events.map(({ type }) => type).filter((type) => type !== 'time-passed'),
      [],
    );
  });
}

test('folding the events gives the state', () => {
  const state = running(5);
  const handled = handle(state, { time: 50, ...ended('2.1', 'FAILURE') } as GateCommand);
  assert.deepEqual(handled.events.reduce(evolve, state), handled.state);
});

test('the state is plain JSON', () => {
  const state = tell(running(3), ended('1.1', 'SUCCESS'));
  assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
  assert.deepEqual(pending(JSON.parse(JSON.stringify(state))), pending(state));
});

test('what was said is wanted until it is done, in order', () => {
  const state = tell(running(2), ended('1.1', 'FAILURE'), ended('2.1', 'SUCCESS'));
  const keys = ofKind(state, 'report').map(({ key }) => key);
  assert.deepEqual(keys, ['1.1/FAILURE']);
  assert.deepEqual(ofKind(tell(state, { type: 'done', action: '1.1/FAILURE' }), 'report'), []);
});

test('an abandoned change goes without a word, what needs it is told', () => {
  const needy = tell(gateWith(1), ...enqueue('c2', { dependsOn: ['c1'] }));
  const state = tell(needy, { type: 'observe', changes: [change('c1', { status: 'abandoned' })] });
  assert.deepEqual(queued(state), []);
  const said = ofKind(state, 'report').map(({ changes, message }) => [changes, message]);
  assert.deepEqual(said, [[['c2,1'], 'This change depends on c1,1, which failed or cannot merge.']]);
});

test('pipelines that live elsewhere are asked to give the change up', () => {
  const state = gateWith(1, pipeline({ supercedes: ['check'] }));
  assert.deepEqual(
    ofKind(state, 'supersede').map(({ change: id, pipelines }) => [id, pipelines]),
    [['c1,1', ['check']]],
  );
});

for (const type of ['retrigger', 'retrigger-asked'] as const) {
  test(`R15: a ${type} is refused while the job runs, while the item merges, and after it has left`, () => {
    const command = { type, pipeline: 'gate', change: 'c1', job: 'unit', time: 99 } as const;
    const reason = (state: GateState) => {
      const { answer } = decide(state, command);
      return answer.ok ? '' : answer.reason;
    };
    const late = 'too late to run unit again there; `sluice enqueue --pipeline gate --change c1` tests it anew';
    assert.equal(reason(gateWith(1)), 'c1 has no jobs to run again yet');
    assert.equal(reason(running(1)), 'unit has not ended yet');
    const merging = tell(running(1), ended('1.1', 'SUCCESS'));
    assert.equal(reason(merging), `c1 is being merged: ${late} should that be refused`);
    assert.equal(reason(tell(running(1), ended('1.1', 'FAILURE'))), `c1 is not in gate: ${late}`);
  });
}

test('R15: an item has no verdict before its build set has said what comes of a retrigger', () => {
  const two = graph(['unit', 'lint']);
  const build = (name: string, attempt = 1) => {
    const key = `${name}/${attempt}`;
    return [started('1.1', key), ended('1.1', 'SUCCESS', key)];
  };
  const asking: Told = { type: 'retrigger-asked', pipeline: 'gate', change: 'c1', job: 'unit' };
  const green = tell(gateWith(1), ready('1.1', two), ...build('unit'), asking, asking, ...build('lint'));
  assert.deepEqual(ofKind(green, 'submit'), []);
  const refused = tell(green, { type: 'retrigger-refused', buildSet: '1.1', job: 'unit' });
  assert.equal(ofKind(refused, 'submit').length, 1);
  const again = tell(green, { type: 'retrigger', pipeline: 'gate', change: 'c1', job: 'unit', whole: true });
  assert.deepEqual(ofKind(again, 'submit'), []);
  assert.equal(ofKind(tell(again, ...build('unit', 2)), 'submit').length, 1);
  assert.deepEqual(JSON.parse(JSON.stringify(green)), green);
});

interface Shared {
  readonly says: string;
  readonly job?: string;
  /** Jobs of the change behind, and what has become of them. */
  readonly jobs: readonly FrozenJob[];
  readonly steps?: (key: string) => readonly Told[];
  readonly facts?: Partial<ChangeFacts>;
  readonly manager?: Pipeline['manager'];
  /** Whether the change behind begins anew. */
  readonly anew: boolean;
}

const using = job('systest', { requires: ['repository'] });
const systestEnded = (key: string) => [started(key, 'systest/1'), ended(key, 'SUCCESS', 'systest/1')];

const shared: readonly Shared[] = [
  { says: 'that has used it', jobs: [using], steps: systestEnded, anew: true },
  { says: 'that is using it', jobs: [using], steps: (key) => [started(key, 'systest/1')], anew: true },
  { says: 'that has not begun with it', jobs: [using], anew: false },
  { says: 'that needs nothing of it', jobs: [job('systest')], steps: systestEnded, anew: false },
  {
    says: 'that requires something else',
    jobs: [job('systest', { requires: ['image'] })],
    ...{ steps: systestEnded, anew: false },
  },
  {
    says: 'that takes from what it needs alone, and needs another',
    jobs: [job('systest', { requires: ['repository'], requiresFrom: 'needed' })],
    ...{ steps: systestEnded, anew: false },
  },
  {
    says: 'that takes from what it needs alone, and needs this',
    jobs: [job('systest', { requires: ['repository'], requiresFrom: 'needed' })],
    ...{ steps: systestEnded, facts: { dependsOn: ['c1'] }, anew: true },
  },
  { says: 'when the job that runs again is not used', job: 'docs', jobs: [using], steps: systestEnded, anew: false },
  {
    says: 'that stands on it in a pipeline that does not merge',
    ...{ jobs: [using], steps: systestEnded, facts: { dependsOn: ['c1'] }, manager: 'independent', anew: true },
  },
];
for (const { says, job: name = 'build', jobs, steps, facts = {}, manager = 'dependent', anew } of shared) {
  const does = anew ? 'begins anew' : 'goes on';
  test(`R15: a change ${says} ${does} when a job of a change ahead runs again`, () => {
    const provider = graph(['build', job('publish > build', { provides: ['repository'] }), 'docs', 'slow']);
    const entered = tell(gateWith(1, pipeline({ manager })), ...enqueue('c2', facts));
    const key = ofKind(entered, 'prepare').find(({ changes }) => changes.includes('c2,1'))?.key ?? '';
    const built = ['build/1', 'publish/1', 'docs/1'].flatMap((one) => [
      started('1.1', one),
      ended('1.1', 'SUCCESS', one),
    ]);
    const state = tell(
      entered,
      ready('1.1', provider),
      ready(key, graph([...jobs])),
      ...built,
      ...(steps?.(key) ?? []),
    );
    const again = { type: 'retrigger', pipeline: 'gate', change: 'c1', job: name, whole: true } as const;
    const keys = ofKind(tell(state, again), 'build-set').map((action) => action.key);
    assert.deepEqual([keys.includes('1.1'), !keys.includes(key)], [true, anew]);
  });
}

test('R2: what was ahead of an item when it was based is given to its jobs after that has merged, too', () => {
  const [library, clash, free] = ['1.1', '2.1', '3.1'];
  const chain = graph([job('publish', { provides: ['repository'] }), job('systest', { requires: ['repository'] })]);
  const of = (id: string): JobGraph => ({ ...chain, jobs: chain.jobs.map((one) => ({ ...one, change: id })) });
  const published = (key: string): readonly Told[] => [
    started(key, 'publish/1'),
    {
      ...{ type: 'build-ended', buildSet: key, build: 'publish/1' },
      outcome: { result: 'SUCCESS', time: 5, artifacts: [{ name: 'repository', url: `of ${key}`, metadata: {} }] },
    },
  ];
  const merged = (item: string, key: string): readonly Told[] => [
    ...[started(key, 'systest/1'), ended(key, 'SUCCESS', 'systest/1')],
    { type: 'submitted', item, merged: [`c${item},1`] },
  ];
  const given = (state: GateState) =>
    Object.fromEntries(
      ofKind(state, 'build-set').map(({ key, permissions }) => [
        key,
        (permissions.artifacts.systest ?? []).map(({ url, change: from }) => `${url} (${from})`),
      ]),
    );
  const begun = tell(gateWith(3), ...[library, clash, free].flatMap((key, at) => [ready(key, of(`c${at + 1}`))]));
  const all = tell(begun, ...[library, clash, free].flatMap(published));
  const both = ['of 1.1 (c1)', 'of 2.1 (c2)'];
  assert.deepEqual(given(all), { '1.1': [], '2.1': ['of 1.1 (c1)'], '3.1': both });
  const first = tell(all, ...merged('1', library));
  assert.deepEqual(given(first), { '2.1': ['of 1.1 (c1)'], '3.1': both });
  const second = tell(first, ...merged('2', clash));
  assert.deepEqual(given(second), { '3.1': both });
  // However much passes through the gate meanwhile.
  const others = Array.from({ length: 40 }, (_, at) => ({ ...change(`x${at}`), status: 'abandoned' as const }));
  assert.deepEqual(given(tell(second, { type: 'observe', changes: others })), { '3.1': both });
  // A gate that began before keeps to how it began.
  assert.deepEqual(given(tell({ ...all, keepsMerged: false }, ...merged('1', library))), {
    '2.1': [],
    '3.1': ['of 2.1 (c2)'],
  });
});

test('jobs behind one that holds its followers wait for it', () => {
  const held = graph([job('build', { holdFollowingChanges: true })]);
  const state = tell(gateWith(2), ready('1.1', held), ready('2.1', held));
  assert.deepEqual(ofKind(state, 'build-set')[1]?.permissions.waiting, { build: ['hold: c1'] });
  const free = tell(state, started('1.1', 'build/1'), ended('1.1', 'SUCCESS', 'build/1'));
  assert.deepEqual(ofKind(free, 'build-set')[1]?.permissions.waiting, {});
});

test('an item outside the window is neither prepared nor started', () => {
  const state = gateWith(3, pipeline({ window: { ...pipeline().window, size: 2 } }));
  assert.deepEqual(
    ofKind(state, 'prepare').map(({ changes }) => changes),
    [['c1,1'], ['c2,1']],
  );
});

test('a configuration that moves a project moves its items, with their builds', () => {
  const moved = change('c1', { placements: { gate: { ...place, queue: 'other' } } });
  const state = tell(running(1), { type: 'configure', pipelines: [pipeline()], changes: [moved] });
  assert.deepEqual(
    state.queues.map(({ id, items }) => [id, items.length]),
    [['gate/other', 1]],
  );
  assert.equal(ofKind(state, 'build-set')[0]?.state.builds[0]?.result, null);
});

test('items of a pipeline that is gone leave without a word', () => {
  const state = tell(running(2), { type: 'configure', pipelines: [] });
  assert.deepEqual(pending(state), []);
});

test('an unknown change and an unknown pipeline are refused by name', () => {
  const command = { time: 9, type: 'enqueue', pipeline: 'gate', change: 'x' } as const;
  assert.deepEqual(decide(gateWith(0), command).answer, { ok: false, reason: 'change x is not known' });
  const other = { ...command, pipeline: 'none', change: 'c1' };
  assert.deepEqual(decide(gateWith(1), other).answer, { ok: false, reason: 'no pipeline none' });
});

test('facts that nothing needs any more are forgotten, many at a time', () => {
  let state = running(20);
  for (let item = 1; item <= 20; item += 1) {
    const merged = [`c${item},1`];
    state = tell(state, ended(`${item}.1`, 'SUCCESS'), { type: 'submitted', item: String(item), merged });
    assert.ok(Object.keys(state.facts.changes).length < 20 - item + 16);
  }
  assert.deepEqual(Object.keys(state.facts.changes), ['c17,1', 'c18,1', 'c19,1', 'c20,1']);
  assert.deepEqual(Object.keys(state.facts.patchsets), ['c17', 'c18', 'c19', 'c20']);
});

test('W11: a change whose Git parent gets a newer patch set is told on what it is based', () => {
  const chain = [...enqueue('a'), ...enqueue('b', { parents: ['a'] }), ...enqueue('c', { parents: ['b'] })];
  const state = tell(initialGate(), { type: 'configure', pipelines: [pipeline()] }, ...chain);
  assert.deepEqual(queued(state), ['a,1', 'b,1', 'c,1']);
  const newer = tell(state, { type: 'observe', changes: [change('b', { patchset: 2, parents: ['a'] })] });
  const [said] = ofKind(newer, 'report').filter(({ changes }) => changes.includes('c,1'));
  assert.match(said?.message ?? '', /This change is based on b,1, the current patch set is 2: rebase it\./);
});

test('R5: what could not be said is a fact, and no longer waits to be said', () => {
  const state = tell(running(2), ended('1.1', 'FAILURE'));
  const [report] = ofKind(state, 'report');
  const given = tell(state, { type: 'done', action: report?.key ?? '', failed: 'no permission' });
  assert.deepEqual(ofKind(given, 'report'), []);
  assert.deepEqual(
    given.undelivered.map(({ key, changes, reason }) => [key, changes, reason]),
    [[report?.key, ['c1,1'], 'no permission']],
  );
});
