import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeItem } from '../../../activities/gate/merge-item.ts';
import { OtherStateLanded } from '../../../activities/review/other-state.ts';
import type {
  Mergeability,
  ReviewHost,
  SubmitRequest,
  SubmitResult,
  Withdrawal,
} from '../../../activities/review/port.ts';
import type { SubmitInput } from '../../../workflows/contract.ts';
import { change } from '../../workflows/make.ts';

const place = { project: 'tinycdb', branch: 'main' };
const state = (name: string) => ({ ...place, commit: `commit ${name}`, tree: `tree ${name}` });
const [first, whole] = [state('1'), state('2')];
const steps = [
  { ...first, change: 'git:1', onto: 'tip' },
  { ...whole, change: 'git:2', onto: first.commit },
];
const own = ['git:1', 'git:2'].map((id) => ({
  ...place,
  id,
  patchset: 1,
  ...(id === 'git:2' && { mergeMode: 'merge' }),
}));
const input: SubmitInput = {
  ...{ tenant: 'main', pipeline: 'gate', queue: 'q', key: '1.1/submit' },
  changes: [change('git:1'), change('git:2')],
  rules: [{ connection: 'git', body: { submit: true } }],
  graph: { digest: 'sha256:0', size: 1 },
};

type Host = Partial<Pick<ReviewHost, 'canMerge' | 'readChange' | 'branchTip' | 'submit'>>;

/** An item of two changes of one branch; the host merges by itself unless it is told otherwise. */
function setup(given: Host) {
  const asked: SubmitRequest[] = [];
  const withdrawn: string[] = [];
  const answer = (id: string): SubmitResult => ({
    kind: 'merged',
    state: { ...(id === 'git:1' ? first : whole), commit: `by host ${id}` },
  });
  const host = {
    canMerge: async () => ({ ok: true }),
    readChange: async (id: string) => change(id),
    branchTip: async () => 'tip',
    ...given,
    withdraw: async (_: never, { request: { change: id }, reason }: Withdrawal) => {
      withdrawn.push(`${id}: ${reason}`);
    },
    submit: async (actor: never, request: SubmitRequest) => {
      asked.push(request);
      return given.submit?.(actor, request) ?? answer(request.change);
    },
  } as unknown as ReviewHost;
  const stored = { sources: [whole], steps, changes: own };
  const deps = {
    ...{ host: () => host, own: async () => ['Verified'], comments: async () => [] },
    ...{ look: async () => {}, pass: async () => {} },
    blobs: { put: async () => input.graph ?? assert.fail(), read: async () => Buffer.from(JSON.stringify(stored)) },
  };
  return { asked, withdrawn, merge: () => mergeItem(deps, input) };
}

test('each change is asked for with what it was tested to, those after it, and what our merge before it has made', async () => {
  const { asked, merge } = setup({});
  assert.deepEqual(await merge(), { merged: ['git:1,1', 'git:2,1'] });
  assert.deepEqual(
    asked.map(({ change: id, tested, step, onto, rest }) => [id, tested, step, onto, rest?.map((next) => next.change)]),
    [
      ['git:1', whole, first, undefined, ['git:2']],
      ['git:2', whole, whole, 'by host git:1', []],
    ],
  );
});

test('a host is told of the merge mode that a project names, before the first merge and with it', async () => {
  const judged: unknown[] = [];
  const canMerge = async (id: string, _: unknown, mode: unknown) => {
    judged.push([id, mode]);
    return { ok: true } as const;
  };
  const { asked, merge } = setup({ canMerge });
  await merge();
  const modes = [
    ['git:1', undefined],
    ['git:2', 'merge'],
  ];
  assert.deepEqual(judged, modes);
  assert.deepEqual(
    asked.map(({ change: id, mode }) => [id, mode]),
    modes,
  );
  assert.equal(asked[0]?.rest?.[0]?.mode, 'merge');
});

const ends: readonly (readonly [says: string, host: Host, withdrawn: readonly string[]])[] = [
  ['whose merge throws', { submit: () => Promise.reject(new Error('lost')) }, ['git:1: lost', 'git:2: lost']],
  [
    'of which another try has been hindered',
    { branchTip: async () => 'elsewhere' },
    ['git:1', 'git:2'].map((id) => `${id}: main of tinycdb is no longer what was tested`),
  ],
  [
    'that is merged in part',
    {
      submit: async (_, { change: id }) =>
        id === 'git:1' ? { kind: 'merged', state: first } : { kind: 'refused', reason: 'it is closed' },
    },
    ['git:2: it is closed'],
  ],
  [
    'whose host is away, which is asked again',
    { submit: () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })) },
    [],
  ],
  ['that is merged', {}, []],
];
for (const [says, host, withdrawn] of ends) {
  test(`no word of a success stays at a change that is open: an item ${says}`, async () => {
    const run = setup(host);
    await run.merge();
    assert.deepEqual(run.withdrawn, withdrawn);
  });
}

test('a merge to another state than was tested is none to stand on', async () => {
  const submit = async (_: unknown, { change: id, onto }: SubmitRequest): Promise<SubmitResult> =>
    id === 'git:1'
      ? { kind: 'already-merged', state: state('other') }
      : { kind: 'moved', reason: onto ?? 'it is another' };
  assert.deepEqual(await setup({ submit }).merge(), { merged: ['git:1,1'], moved: 'it is another' });
});

test('a merge that came to another state than was tested is said to be one, and nothing is merged after it', async () => {
  const submit = () => Promise.reject(new OtherStateLanded('git:1 is something else'));
  const run = setup({ submit, readChange: async (id) => change(id, { status: 'merged' }) });
  assert.deepEqual(await run.merge(), { merged: ['git:1,1'], refused: 'git:1 is something else' });
});

const lacks = (id: string, answer: Mergeability) => async (asked: string) =>
  asked === id ? answer : { ok: true as const };
const closed = { ok: false, missing: ['it is closed'] } as const;
const merged = async (id: string) => change(id, { status: id === 'git:1' ? 'merged' : 'open' });

const before: readonly { says: string; host: Host; answer: object; asked: readonly string[] }[] = [
  {
    says: 'the last lacks something',
    host: { canMerge: lacks('git:2', { ok: false, missing: ['a vote is missing', 'and another'], isOpen: true }) },
    answer: { merged: [], refused: 'git:2: a vote is missing; and another' },
    asked: [],
  },
  {
    says: 'the last is abandoned',
    host: { canMerge: lacks('git:2', closed), readChange: async (id) => change(id, { status: 'abandoned' }) },
    answer: { merged: [], refused: 'git:2: it is closed' },
    asked: [],
  },
  {
    says: 'the host of the last is away',
    host: {
      canMerge: async () => Promise.reject(Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' })),
    },
    answer: { merged: [], away: 'connect refused' },
    asked: [],
  },
  {
    says: 'the branch was moved by somebody else',
    host: { branchTip: async () => 'elsewhere' },
    answer: { merged: [], moved: 'main of tinycdb is no longer what was tested' },
    asked: [],
  },
  {
    says: 'an earlier try has pushed all of it',
    host: { branchTip: async () => whole.commit },
    answer: { merged: ['git:1,1', 'git:2,1'] },
    asked: ['git:1', 'git:2'],
  },
  {
    says: 'an earlier try has merged the first, and the branch is there',
    host: { canMerge: lacks('git:1', closed), readChange: merged, branchTip: async () => 'by host git:1' },
    answer: { merged: ['git:1,1', 'git:2,1'] },
    asked: ['git:1', 'git:2'],
  },
  {
    says: 'an earlier try has merged the first, and now the last lacks something',
    host: { canMerge: async () => closed, readChange: merged },
    answer: { merged: ['git:1,1'], refused: 'git:2: it is closed' },
    asked: [],
  },
  {
    says: 'an earlier try has merged the first, and now the host of the last is away',
    host: {
      canMerge: async (id) =>
        id === 'git:1' ? closed : Promise.reject(Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' })),
      readChange: merged,
    },
    answer: { merged: ['git:1,1'], away: 'connect refused' },
    asked: [],
  },
  {
    says: 'the last has merged with the first, and the host has not said so in time',
    host: {
      submit: async (_, { change: id }) =>
        id === 'git:1' ? { kind: 'merged', state: first } : { kind: 'refused', reason: 'it is closed' },
      readChange: async (id) => change(id, { status: 'merged' }),
    },
    answer: { merged: ['git:1,1', 'git:2,1'] },
    asked: ['git:1', 'git:2'],
  },
];

for (const { says, host, answer, asked } of before) {
  test(`of an item of two changes ${says}`, async () => {
    const run = setup(host);
    assert.deepEqual(await run.merge(), answer);
    assert.deepEqual(
      run.asked.map(({ change: id }) => id),
      asked,
    );
  });
}
