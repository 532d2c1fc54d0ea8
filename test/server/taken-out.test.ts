import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TriggerEvent } from '../../pipelines/model/change.ts';
import { type Routed, route, type View } from '../../server/events/route.ts';
import { takenOutMarks, withoutTakenOut } from '../../server/events/taken-out.ts';
import { pipelines } from '../activities/layout/shipped-pipelines.ts';
import { change } from '../workflows/make.ts';

/** The shipped pipelines of every kind of host, with a ledger in memory. */
function world(connection: string) {
  const told = new Set<string>();
  const ledger = {
    wasTold: async (key: string) => told.has(key),
    markTold: async (key: string) => void told.add(key),
  };
  const layout = { pipelines: new Map(Object.values(pipelines).map((pipeline) => [pipeline.name, { pipeline }])) };
  const one = change(`${connection}:1`, { connection });
  const view = { tenant: 't', layout, change: one, around: [one], joins: new Set(), proposals: [] } as unknown as View;
  const named = (routed: readonly Routed[]) => routed.map(({ gate }) => gate.pipeline).join(' ');
  const happen = async (told: Partial<TriggerEvent>) => {
    const place = { driver: 'x', connection, project: one.project, change: one.id, time: 5 };
    const event = { type: '', ...place, ...told };
    return named(await withoutTakenOut(ledger, { view, event, routed: route(view, { id: 'x', event, time: 7 }) }));
  };
  const marks = takenOutMarks(ledger);
  const place = { pipeline: 'gate', key: one.key };
  return { happen, takeOut: () => marks.note(place), enqueue: () => marks.forget(place) };
}

const vote = { approvals: [{ label: 'Code-Review', value: 2, oldValue: 0 }] };
const comment = (text: string) => ({ comment: text });

/** What is no wish: that nothing is missing any more. */
const ready = { type: 'change-ready', pipeline: 'gate' };

/** At each host, what is no wish, and what is one. */
const hosts: readonly (readonly [string, readonly Partial<TriggerEvent>[], readonly Partial<TriggerEvent>[]])[] = [
  [
    'review',
    [ready],
    [{ type: 'comment-added', ...comment('recheck') }, { type: 'comment-added', ...vote }, { type: 'change-restored' }],
  ],
  [
    'hub',
    [ready],
    [
      { type: 'pull_request_review', action: 'submitted', state: 'approved', ...vote },
      { type: 'pull_request', action: 'comment', ...comment('recheck') },
      { type: 'check_run', action: 'rerequested', check: 'app:sluice/gate:failure' },
    ],
  ],
  ['app', [ready], [{ type: 'pull_request', action: 'labeled', labels: ['gate me'] }]],
  ...(['lab', 'tea'] as const).map((connection) => {
    const type = connection === 'lab' ? 'gl_merge_request' : 'gitea_pull_request';
    const acts = (...actions: string[]) => actions.map((action) => ({ type, action }));
    const recheck = { type, action: 'comment', ...comment('recheck') };
    return [connection, [ready], [...acts('approved', 'changed', 'reopened'), recheck]] as const;
  }),
];

for (const [connection, others, wishes] of hosts) {
  test(`${connection}: what somebody took out of the gate comes back when somebody wants it, and not by the way`, async () => {
    for (const other of others) {
      const { happen, takeOut, enqueue } = world(connection);
      assert.match(await happen(other), /gate/, JSON.stringify(other));
      await takeOut();
      assert.doesNotMatch(await happen(other), /gate/, JSON.stringify(other));
      await enqueue();
      assert.match(await happen(other), /gate/, 'somebody enqueued it');
    }
    for (const wish of wishes) {
      const { happen, takeOut } = world(connection);
      const [other = {}] = others;
      for (const _ of ['once', 'again']) {
        await takeOut();
        assert.doesNotMatch(await happen(other), /gate/);
        assert.match(await happen(wish), /gate/, JSON.stringify(wish));
        assert.match(await happen(other), /gate/, 'it is back');
      }
    }
  });
}
