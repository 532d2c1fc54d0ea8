import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderQueues } from '../../cli/queue-tree.ts';
import { bounded } from '../../pipelines/model/words.ts';
import { cannotMerge } from '../../pipelines/report/sentences.ts';
import { withoutEffect } from '../../server/api/effects.ts';
import type { StatusView } from '../../server/api/types.ts';
import { changeView } from '../../server/api/views.ts';
import { renderQueues as renderPage } from '../../web/queues.ts';
import { change } from '../workflows/make.ts';
import { anItem, aQueue } from './records.ts';

const wip = { ...change('git:5'), branch: 'master', wip: true, mergeable: false };

test('who approves a change that is work in progress is told that it waits for ready, and how that is said', async () => {
  const reason = cannotMerge({ ...wip, key: 'git:5,1' });
  const deps = {
    changes: { read: async () => wip, history: async () => ({ bases: [] }) },
    obstaclesOf: async () => [{ pipeline: 'gate', reason, latest: true }],
  };
  const told = await withoutEffect(deps as never, '5');
  assert.match(told.join('\n'), /gate does not take it: .* is work in progress: it waits until its author says that/);
  assert.match(told.join('\n'), /`git push origin HEAD:refs\/for\/master%ready` says that it is ready/);
});

test('a change that is work in progress is marked so where queues are shown', () => {
  const [one] = anItem().changes;
  const item = anItem({ changes: [{ ...(one ?? assert.fail()), wip: true }] });
  const view = { time: 0, queues: [aQueue({ items: [item] })], running: [], estimates: {}, workflowUrl: null };
  assert.match(renderQueues(view as unknown as StatusView), /Fix a leak \(work in progress\)/);
  assert.match(renderPage(view as unknown as StatusView, 0).markup, /<span class="tag">work in progress<\/span>/);
});

test('a subject of any length is bounded where people see it, and whole in the message', () => {
  const subject = 'x'.repeat(60_000);
  const shown = changeView({ ...change('git:5'), subject, message: subject });
  assert.deepEqual([shown.subject.length, shown.message.length], [200, 60_000]);
  assert.equal(bounded('short'), 'short');
  assert.equal(bounded(`${'x'.repeat(198)}😀😀`), `${'x'.repeat(198)}…`, 'no half of a character');
});
