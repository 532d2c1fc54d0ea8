import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGateActivities, type Findings, type GateDeps } from '../../../activities/gate/gate-activities.ts';
import { UnknownChange } from '../../../activities/review/people.ts';
import type { ReviewHost, ReviewReport, SubmitRequest, Withdrawal } from '../../../activities/review/port.ts';
import { gateActor } from '../../../pipelines/model/actor.ts';
import type { StoredGraph, SubmitInput, TellAction } from '../../../workflows/contract.ts';
import { change } from '../../workflows/make.ts';

const state = { project: 'tinycdb', branch: 'main', commit: 'c'.repeat(40), tree: 'd'.repeat(40) };
const rules = [{ connection: 'git', body: { submit: true } }];
const ref = { digest: 'sha256:0', size: 1 };
const input: SubmitInput = {
  ...{ tenant: 'main', pipeline: 'gate', queue: 'q', key: '1.1/submit' },
  ...{ changes: [change('git:1')], rules, graph: ref },
};

/** A host that merges all that it is asked to, with what it was asked. */
function setup(tested: Partial<StoredGraph>, host: Partial<ReviewHost> = {}, more: Partial<GateDeps> = {}) {
  const submitted: SubmitRequest[] = [];
  const reported: string[] = [];
  const looked: string[] = [];
  const review = {
    submit: async (actor: unknown, request: SubmitRequest) => {
      assert.equal(actor, gateActor);
      submitted.push(request);
      return { kind: 'merged', state };
    },
    readChange: async (id: string) => change(id),
    canMerge: async () => ({ ok: true }),
    report: async (_actor: unknown, { change: id }: { change: string }) => void reported.push(id),
    ...host,
  } as unknown as ReviewHost;
  const deps: GateDeps = {
    host: () => review,
    blobs: {
      put: async () => ref,
      read: async () => Buffer.from(JSON.stringify({ sources: [], changes: [], ...tested })),
    },
    own: async () => [],
    comments: async () => [],
    look: async (connection, id) => void looked.push(`${connection} ${id}`),
    pass: async () => {},
    ...more,
  };
  return { activities: createGateActivities(deps), submitted, reported, looked };
}

const own = { id: 'git:1', patchset: 1, project: 'tinycdb', branch: 'main' };

test('R2: what was tested is merged; without a tested state of that very patch set nothing is', async () => {
  const good = setup({ sources: [state], changes: [own] });
  assert.deepEqual(await good.activities.submit(input), { merged: ['git:1,1'] });
  assert.deepEqual(good.submitted[0]?.tested, state);
  const rows: [StoredGraph['changes'], StoredGraph['sources'], SubmitInput][] = [
    [[own], [state], { ...input, graph: null }],
    [[own], [], input],
    [[own], [{ ...state, branch: 'other' }], input],
    [[{ ...own, patchset: 2 }], [state], input],
    [[{ ...own, id: 'git:2' }], [state], input],
  ];
  for (const [changes, sources, asked] of rows) {
    const { activities, submitted } = setup({ changes, sources });
    const answer = await activities.submit(asked);
    assert.deepEqual([answer.merged, submitted], [[], []]);
    assert.match(answer.refused ?? '', /tested/);
  }
});

test('a merge is asked for with the report of its success, as it will be told', async () => {
  const said: ReviewReport[] = [];
  const { activities, submitted } = setup(
    { sources: [state], changes: [own] },
    { report: async (_actor, report) => void said.push(report) },
  );
  const report = { key: '1.1-a/SUCCESS', action: 'success', message: 'Fine.' } as const;
  await activities.submit({ ...input, report: { ...report, life: 'life' } });
  const about = { kind: 'report', pipeline: 'gate', changes: ['git:1,1'], buildSet: null, result: 'SUCCESS' } as const;
  const actions: TellAction[] = [{ ...about, ...report, rules }];
  await activities.tell({ tenant: 'main', pipeline: 'gate', queue: 'q', life: 'life', actions });
  const [told] = said;
  assert.ok(told);
  assert.deepEqual(submitted[0]?.report, { key: told.key, message: told.message, about: told.about });
});

test('R5: a host that does not answer is away: that says nothing of the change', async () => {
  const submit = async () => Promise.reject(Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' }));
  const { activities } = setup({ sources: [state], changes: [own] }, { submit });
  assert.deepEqual(await activities.submit(input), { merged: [], away: 'connect refused' });
});

test('R5: an error that is about one change alone is told apart from a host that is away', async () => {
  const { activities } = setup(
    { sources: [state], changes: [own] },
    { submit: async () => Promise.reject(new Error('its branch cannot be read')) },
  );
  assert.deepEqual(await activities.submit(input), { merged: [], broken: 'its branch cannot be read' });
  const lost = createGateActivities({
    ...{
      host: () => undefined,
      own: async () => [],
      comments: async () => [],
      look: async () => {},
      pass: async () => {},
    },
    blobs: { put: async () => ref, read: async () => Promise.reject(new Error('no content sha256:0')) },
  });
  assert.deepEqual(await lost.submit(input), { merged: [], broken: 'no content sha256:0' });
});

test('what was merged is looked at: with the report of a whole item, at once where only a part was merged', async () => {
  const other = { ...own, id: 'git:2' };
  const changes = [change('git:1'), change('git:2')];
  const whole = setup({ sources: [state], changes: [own, other] });
  assert.deepEqual(await whole.activities.submit({ ...input, changes }), { merged: ['git:1,1', 'git:2,1'] });
  assert.deepEqual(whole.looked, [], 'the next merge waits for nothing');
  const said = {
    key: 'k',
    pipeline: 'gate',
    changes: ['git:1,1', 'git:2,1'],
    buildSet: null,
    result: null,
    message: '',
  };
  const tell = (more: Pick<TellAction & { kind: 'report' }, 'action' | 'rules'>) =>
    whole.activities.tell({ ...input, life: 'l', actions: [{ ...said, kind: 'report', ...more }] });
  await tell({ action: 'failure', rules });
  await tell({ action: 'success', rules: [{ connection: 'git', body: { Verified: 2 } }] });
  assert.deepEqual(whole.looked, [], 'nothing was merged');
  await tell({ action: 'success', rules });
  assert.deepEqual(whole.looked, ['git git:1', 'git git:2']);
  const submit: ReviewHost['submit'] = async (_, { change: id }) =>
    id === 'git:2' ? { kind: 'refused', reason: 'no' } : { kind: 'merged', state };
  const part = setup({ sources: [state], changes: [own, other] }, { submit });
  assert.deepEqual((await part.activities.submit({ ...input, changes })).merged, ['git:1,1']);
  assert.deepEqual(part.looked, ['git git:1']);
});

for (const { says, read, answer } of [
  {
    says: 'is merged all the same',
    read: async (id: string) => change(id, { status: 'merged' }),
    answer: { merged: ['git:1,1', 'git:2,1'] },
  },
  {
    says: 'is merged as another patch set',
    read: async (id: string) => change(id, { status: 'merged', patchset: 2 }),
    answer: { merged: ['git:1,1'], broken: 'the answer was lost' },
  },
  {
    says: 'is open',
    read: async (id: string) => change(id),
    answer: { merged: ['git:1,1'], broken: 'the answer was lost' },
  },
  {
    says: 'cannot be read either',
    read: async () => Promise.reject(new Error('no')),
    answer: { merged: ['git:1,1'], broken: 'the answer was lost', unknown: ['git:2,1'] },
  },
]) {
  test(`R5: the second change of an item whose merge ends with an error ${says}`, async () => {
    const submit: ReviewHost['submit'] = async (_, { change: id }) => {
      if (id === 'git:2') throw new Error('the answer was lost');
      return { kind: 'merged', state };
    };
    const other = { ...own, id: 'git:2' };
    const { activities } = setup({ sources: [state], changes: [own, other] }, { submit, readChange: read });
    const changes = [change('git:1'), change('git:2')];
    assert.deepEqual(await activities.submit({ ...input, changes }), answer);
  });
}

/** Three items of one branch, each tested on top of the one before. */
function threeItems(more: (index: number) => Partial<SubmitInput> = () => ({})): SubmitInput[] {
  return [1, 2, 3].map((number, index) => {
    return { ...input, key: `${number}.1/submit`, changes: [change(`git:${number}`)], ...more(index) };
  });
}

const three = [1, 2, 3].map((number) => ({ ...own, id: `git:${number}` }));

const together: readonly {
  readonly says: string;
  readonly atOnce: (requests: readonly SubmitRequest[]) => Promise<number>;
  readonly merges?: readonly SubmitInput[];
  readonly tries: readonly string[];
  readonly merged: readonly string[];
}[] = [
  {
    says: 'at once',
    atOnce: async ({ length }) => length,
    tries: ['git:1 git:2 git:3'],
    merged: ['git:1,1', 'git:2,1', 'git:3,1'],
  },
  {
    says: 'some of them at once, the others are asked for again',
    atOnce: async () => 2,
    tries: ['git:1 git:2 git:3'],
    merged: ['git:1,1', 'git:2,1'],
  },
  {
    says: 'the first by itself, where the host cannot',
    atOnce: async () => 0,
    tries: ['git:1 git:2 git:3', 'git:1'],
    merged: ['git:1,1'],
  },
  {
    says: 'the first by itself, where the host does not say what became of all',
    atOnce: async () => Promise.reject(new Error('no answer')),
    tries: ['git:1 git:2 git:3', 'git:1'],
    merged: ['git:1,1'],
  },
  {
    says: 'those before one that was not tested',
    atOnce: async ({ length }) => length,
    merges: threeItems((index) => (index === 2 ? { graph: null } : {})),
    tries: ['git:1 git:2'],
    merged: ['git:1,1', 'git:2,1'],
  },
  {
    says: 'those before one of several changes',
    atOnce: async ({ length }) => length,
    merges: threeItems((index) => (index === 1 ? { changes: [change('git:2'), change('git:4')] } : {})),
    tries: ['git:1'],
    merged: ['git:1,1'],
  },
  {
    says: 'those before one of another branch',
    atOnce: async ({ length }) => length,
    merges: threeItems((index) => (index === 2 ? { changes: [change('git:3', { branch: 'stable' })] } : {})),
    tries: ['git:1 git:2'],
    merged: ['git:1,1', 'git:2,1'],
  },
];

for (const { says, atOnce, merges = threeItems(), tries, merged } of together) {
  test(`items that stand on each other are merged: ${says}`, async () => {
    const tried: string[] = [];
    const { activities } = setup(
      { sources: [state, { ...state, branch: 'stable' }], changes: three },
      {
        submit: async (_, request) => {
          tried.push(request.change);
          return { kind: 'merged', state };
        },
        submitTogether: (_, requests) => {
          tried.push(requests.map(({ change: id }) => id).join(' '));
          return atOnce(requests);
        },
      },
    );
    const answers = await activities.submitTogether({ merges });
    assert.deepEqual(
      answers,
      merged.map((key) => ({ merged: [key] })),
    );
    assert.deepEqual(tried, tries);
  });
}

for (const [says, submit] of [
  ['is refused', async () => ({ kind: 'refused', reason: 'lost' }) as const],
  ['ends with an error', () => Promise.reject(new Error('lost'))],
] as const) {
  test(`what stands on a merge that ${says} keeps no word of a success`, async () => {
    const withdrawn: string[] = [];
    const withdraw = async (_: unknown, { request: { change: id }, reason }: Withdrawal) => {
      withdrawn.push(`${id}: ${reason}`);
    };
    const host = { submit, submitTogether: async () => 0, withdraw } as Partial<ReviewHost>;
    const { activities } = setup({ sources: [state], changes: three }, host);
    await activities.submitTogether({ merges: threeItems() });
    assert.deepEqual(withdrawn, ['git:1: lost', 'git:2: lost', 'git:3: lost']);
  });
}

test('R5: each report has an outcome; those of one change stay in order', async () => {
  const report = async (_actor: unknown, { change: id }: { change: string }) => {
    if (id === 'git:2') throw new Error('no permission');
    if (id === 'git:3') throw Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' });
  };
  const { activities } = setup({}, { report } as Partial<ReviewHost>);
  const said = (key: string, id: string): TellAction => ({
    ...{ kind: 'report', key, action: 'success', pipeline: 'gate', changes: [`${id},1`] },
    ...{ buildSet: null, result: null, message: '', rules },
  });
  const actions = [said('a', 'git:1'), said('b', 'git:2'), said('c', 'git:2'), said('d', 'git:3'), said('e', 'git:4')];
  const told = await activities.tell({ tenant: 'main', pipeline: 'gate', queue: 'q', life: 'l', actions });
  assert.deepEqual(told, [
    { key: 'a' },
    { key: 'b', failed: 'refused', reason: 'no permission' },
    { key: 'd', failed: 'away', reason: 'no route' },
    { key: 'e' },
  ]);
});

test('I9: what jobs found in files of the change goes with its final report, and only there', async () => {
  const said: ReviewReport[] = [];
  const asked: Findings[] = [];
  const host = {
    readChange: async (id: string) => change(id, { files: ['debian/rules', 'rpm/a.spec'] }),
    report: async (_actor: unknown, report: ReviewReport) => void said.push(report),
  } as unknown as Partial<ReviewHost>;
  const found = [
    { file: 'debian/rules', line: 3, message: 'warning: odd', platform: 'debian-12' },
    { file: 'elsewhere', line: 3, message: 'warning: odd' },
  ];
  const comments = async (of: Findings) => {
    asked.push(of);
    return found;
  };
  const { activities } = setup({}, host, { comments });
  const rows: [Partial<TellAction & { kind: 'report' }>, number][] = [
    [{ result: 'FAILURE', action: 'failure' }, 1],
    [{ action: 'start' }, 0],
    [{ result: 'FAILURE', buildSet: null }, 0],
    [{ result: 'FAILURE', changes: ['git:1,7'] }, 0],
  ];
  for (const [more, count] of rows) {
    const base = { kind: 'report', key: 'k', action: 'success', pipeline: 'check', message: '', rules } as const;
    const action: TellAction = { ...base, changes: ['git:1,1'], buildSet: '1.1', result: null, ...more };
    await activities.tell({ tenant: 'main', pipeline: 'check', queue: 'q', life: 'l', actions: [action] });
    assert.equal(said.pop()?.comments?.length ?? 0, count);
  }
  const patchsets = asked.map(({ patchset }) => patchset);
  assert.deepEqual(patchsets, [1, 7], 'only for the end of an item');
});

test('I9: what is no change at its host hears nothing, and its host is asked for nothing else', async () => {
  const asked: string[] = [];
  const host = {
    readChange: async (id: string) => asked.push(id) && null,
    report: async () => Promise.reject(new UnknownChange('there is no change')),
  } as unknown as Partial<ReviewHost>;
  const { activities } = setup({}, host);
  const action: TellAction = {
    ...{ kind: 'report', key: 'k', action: 'success', pipeline: 'post', changes: ['git:p:refs/heads/main,0'] },
    ...{ buildSet: '1.1', result: 'SUCCESS', message: 'said', rules },
  };
  const told = await activities.tell({ tenant: 'main', pipeline: 'post', queue: 'q', life: 'l', actions: [action] });
  assert.deepEqual([told, asked], [[{ key: 'k' }], []]);
});

test('a start never follows the votes of its merge: the merge waits for one on its way, and later none is told', async () => {
  const events: string[] = [];
  const [arrives, merges] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { activities } = setup({ sources: [state], changes: [own] }, {
    report: async (_actor: unknown, { key }: ReviewReport) => {
      events.push(`${key.at(-1)} is on its way`);
      if (key.endsWith('a')) await arrives.promise;
      events.push(`${key.at(-1)} has arrived`);
    },
    submit: async () => {
      events.push('merging');
      await merges.promise;
      return { kind: 'merged', state };
    },
  } as Partial<ReviewHost>);
  const start = (key: string, id: string) => {
    const action: TellAction = {
      ...{ kind: 'report', key, action: 'start', pipeline: 'gate', changes: [`${id},1`] },
      ...{ buildSet: null, result: null, message: '', rules },
    };
    return activities.tell({ tenant: 'main', pipeline: 'gate', queue: 'q', life: 'l', actions: [action] });
  };
  const first = start('a', 'git:1');
  const merged = activities.submit(input);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(events, ['a is on its way']);
  arrives.resolve();
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(events.splice(0), ['a is on its way', 'a has arrived', 'merging']);
  assert.deepEqual(await start('b', 'git:1'), [{ key: 'b' }], 'it needs not be told any more');
  await start('c', 'git:2');
  assert.deepEqual(events, ['c is on its way', 'c has arrived']);
  merges.resolve();
  assert.deepEqual(await merged, { merged: ['git:1,1'] });
});
