import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusView } from '../../server/api/types.ts';
import { renderChangeBuilds } from '../../web/build.ts';
import { folded } from '../../web/fold.ts';
import { html } from '../../web/html.ts';
import { renderQueues } from '../../web/queues.ts';
import { renderBuildSetRows } from '../../web/results.ts';
import { aBuild, aBuildSet, aJob, anItem, aQueue } from '../server/records.ts';

const around = { failures: [], workflowUrl: null };
const none = { ...around, time: 0, running: [], releases: [], mirrors: [], estimates: {}, buildSets: [] };

test('F6: what is behind the first entries opens on demand; a single one is shown', () => {
  const entries = Array.from({ length: 5 }, (_, at) => html`<li>${at}</li>`);
  const fold = (first: number) => folded(entries, { id: 'x', first, rest: (count) => `${count} more` }).markup;
  assert.match(fold(2), /<li>1<\/li><li class="fold"><details id="x"><summary>3 more<\/summary>.*<li>4<\/li>/);
  assert.doesNotMatch(fold(4), /details/);
  assert.doesNotMatch(fold(5), /details/);
});

test('F6: of a queue of hundreds the first items are drawn whole, and each other one is a line', () => {
  const items = Array.from({ length: 300 }, (_, at) => anItem({ id: `gate-${at}`, jobs: [aJob()] }));
  const { markup } = renderQueues({ ...none, queues: [aQueue({ items })] } as StatusView, 10_000);
  assert.equal(markup.match(/<li class="item /g)?.length, 20);
  assert.equal(markup.match(/<li id="item-gate-/g)?.length, 280);
  assert.match(markup, /<summary>280 more behind them<\/summary>/);
});

test('F6: runs that were let go are folded where they follow each other', () => {
  const sets = ['SUCCESS', 'DEQUEUED', 'DEQUEUED', 'DEQUEUED', 'FAILURE', 'DEQUEUED'] as const;
  const rows = sets.map((result, at) => aBuildSet({ result, workflow: `w${at}` }));
  const { markup } = renderBuildSetRows(rows, around, 10_000);
  assert.equal(markup.match(/<details/g)?.length, 1);
  assert.match(markup, /id="fold-w1"><summary>3 runs that were let go/);
  assert.equal(markup.match(/id="set-w\d"/g)?.length, 6);
});

test('F6: on a change’s page older patch sets and runs of which nothing came are folded', () => {
  const row = (id: string, given: Partial<Parameters<typeof aBuild>[0] & object>) => aBuild({ id, ...given });
  const builds = [
    row('new', { buildSet: 'gate-2.2', patchset: 2, startTime: 9_000 }),
    row('gone', { buildSet: 'gate-2.1', patchset: 2, startTime: 8_000, result: 'CANCELED' }),
    row('old', { buildSet: 'gate-1.1', patchset: 1, startTime: 1_000 }),
  ];
  const { markup } = renderChangeBuilds(builds, 10_000);
  assert.match(markup, /<details class="run" id="run-2-gate-gate-2\.1">/);
  assert.match(markup, /<details class="patchset" id="patchset-1">/);
  assert.match(markup, /<section class="patchset" id="patchset-2">/);
});
