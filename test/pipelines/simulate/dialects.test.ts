import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TriggerEvent } from '../../../pipelines/model/change.ts';
import { givenIn, keptIn, translate } from '../../../pipelines/simulate/dialects.ts';

const base = { project: 'team/tool', change: 'c', time: 0 };
const happened: readonly Pick<TriggerEvent, 'type' | 'patchset' | 'approvals'>[] = [
  { type: 'patchset-created', patchset: 1 },
  { type: 'patchset-created', patchset: 2 },
  { type: 'comment-added' },
  { type: 'comment-added', approvals: [{ label: 'Approved', value: 1 }] },
  { type: 'change-abandoned' },
  { type: 'change-restored' },
  { type: 'change-merged' },
  { type: 'ref-updated' },
];
const actions = ['opened', 'changed', 'comment', 'approved', 'closed', 'reopened', 'merged'];

for (const [driver, change, ref] of [
  ['gitea', 'gitea_pull_request', 'gitea_push'],
  ['gitlab', 'gl_merge_request', 'gl_push'],
] as const) {
  test(`a scenario speaks of events as the adapter of ${driver} does`, () => {
    assert.deepEqual(
      happened.map((event) => {
        const { type, action } = translate({ ...base, driver, connection: driver, ...event });
        return action === undefined ? type : `${type} ${action}`;
      }),
      [...actions.map((action) => `${change} ${action}`), ref],
    );
  });
}

test('a label of a simulated forge is no approval, and stays over a push as one that is not current', () => {
  const given = (label: string, word?: true) => ({ label, value: 1, by: 'ada', time: 0, ...(word && { word }) });
  const all = [given('Approved'), given('gate'), given('approved', true)];
  const now = givenIn('gitlab', all);
  assert.deepEqual([now.votes.length, now.labels, now.currentLabels], [1, ['gate', 'approved'], ['gate', 'approved']]);
  const pushed = givenIn('gitlab', keptIn('gitlab', all));
  assert.deepEqual([pushed.votes, pushed.labels, pushed.currentLabels], [[], ['gate', 'approved'], []]);
  assert.deepEqual([givenIn('gerrit', all.slice(0, 2)).votes.length, keptIn('gerrit', all)], [2, []]);
});
