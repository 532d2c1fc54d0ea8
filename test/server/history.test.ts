import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TriggerEvent } from '../../pipelines/model/change.ts';
import { withoutOldWords } from '../../server/events/history.ts';

const at = { driver: 'x', connection: 'x', project: 'p', time: 5 };
const same = [{ label: 'Code-Review', value: 2, oldValue: 2 }];
const given = [{ label: 'Code-Review', value: 2, oldValue: 0 }];

const table: readonly (readonly [string, Partial<TriggerEvent> & { readonly type: string }, boolean])[] = [
  ["Gerrit's recheck", { type: 'comment-added', comment: 'recheck' }, false],
  ["Gerrit's recheck of somebody who had voted", { type: 'comment-added', comment: 'recheck', approvals: same }, false],
  ['a vote that stands', { type: 'comment-added', comment: 'recheck', approvals: given }, true],
  ['a patch set', { type: 'patchset-created' }, true],
  ["GitHub's comment", { type: 'pull_request', action: 'comment', comment: 'recheck' }, false],
  ["GitLab's comment", { type: 'gl_merge_request', action: 'comment', comment: 'recheck' }, false],
  ['a review', { type: 'gitea_pull_request', action: 'approved', approvals: given }, true],
  ['a merge', { type: 'change-merged' }, true],
];

for (const [what, event, counts] of table) {
  test(`${what} from before the connection ${counts ? 'counts' : 'is history'}, from after it counts`, () => {
    const events = [{ ...at, ...event }];
    assert.equal(withoutOldWords(events, 6).length, counts ? 1 : 0);
    assert.equal(withoutOldWords(events, 5).length, 1);
  });
}
