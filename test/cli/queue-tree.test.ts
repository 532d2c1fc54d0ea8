import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderQueues } from '../../cli/queue-tree.ts';
import { renderStatus } from '../../cli/status.ts';
import type { ItemSnapshot, StatusView } from '../../server/api/types.ts';
import { renderQueues as renderPage } from '../../web/queues.ts';
import { renderStatus as renderStatusPage } from '../../web/status.ts';

function item(number: number, ahead: string | null): ItemSnapshot {
  const change = { id: `git:${number}`, project: 'tinycdb', branch: 'main', patchset: 2, subject: '', owner: '' };
  return { id: `1${number}`, ahead, active: true, changes: [change], state: 'running', reason: '', jobs: [] } as never;
}

test('W10: an item that does not stand on the one before it names the change that it stands on', () => {
  const queue = { pipeline: 'gate', queue: 'q', manager: 'dependent', window: 20 };
  const items = [item(4, null), item(5, '14'), item(6, '14')];
  const view = { time: 0, queues: [{ ...queue, items }], estimates: {} } as unknown as StatusView;
  const text = renderQueues(view);
  assert.match(text, /on top of (git:)?4,2/);
  assert.doesNotMatch(text, /on top of 14/);
});

test('connections whose events are not handled are named below the queues', () => {
  const occurrences = [
    { connection: 'hub', waiting: 2, dead: 0 },
    { connection: 'lab', waiting: 1, dead: 1 },
  ];
  const view = { queues: [], occurrences } as unknown as StatusView;
  assert.deepEqual(renderStatus(view).split('\n').slice(1), [
    'hub  2 events to be handled',
    'lab  1 event to be handled, 1 event given up: the server’s log says why',
  ]);
  assert.equal(renderStatus({ ...view, occurrences: [] }), renderQueues(view));
});

test('I9: a project that is not under its name at its host is said, with its new one', () => {
  const text = 'tea: acme/tool is called acme/<b>new there: name it so in sluice.yaml';
  const absent = [{ connection: 'tea', project: 'acme/tool', text }];
  const view = { time: 0, queues: [], buildSets: [], failures: [], releases: [], mirrors: [], estimates: {}, absent };
  assert.equal(
    renderStatus(view as unknown as StatusView)
      .split('\n')
      .at(-1),
    text,
  );
  const page = renderStatusPage({ ...view, running: [] } as unknown as StatusView, 0).markup;
  assert.match(
    page,
    /class="notice"[^>]*>tea: acme\/tool is called acme\/&lt;b&gt;new there: name it so in sluice\.yaml</,
  );
});

test('F17: pipelines that were never used are shown, in the order of the configuration', () => {
  const pipelines = ['check', 'gate', 'post'].map((name) => ({ name, description: '' }));
  const queue = { pipeline: 'gate', queue: 'q', manager: 'dependent', window: 20, items: [] };
  const view = { time: 0, pipelines, queues: [queue], estimates: {} } as unknown as StatusView;
  assert.deepEqual(renderQueues(view).split('\n'), ['check  empty', 'gate  empty', 'post  empty']);
  assert.match(renderPage({ ...view, running: [] }, 0).markup, /check.*empty.*gate.*empty.*post.*empty/s);
});

test('F6: of a queue of hundreds the first items are drawn, and how to see the others', () => {
  const items = Array.from({ length: 300 }, (_, at) => item(at + 1, at === 0 ? null : `1${at}`));
  const queue = { pipeline: 'gate', queue: 'q', manager: 'dependent', window: 20, items };
  const view = { time: 0, queues: [queue], estimates: {} } as unknown as StatusView;
  const lines = renderQueues(view).split('\n');
  assert.equal(lines.length, 23);
  assert.match(lines.at(-1) ?? '', /└─ … and 280 items behind: sluice status --limit 300 shows all/);
  assert.equal(renderQueues(view, 300).split('\n').length, 302);
});
