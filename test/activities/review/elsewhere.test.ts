import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peopleElsewhere } from '../../../activities/review/elsewhere.ts';
import { type Change, type TriggerEvent, unproposed } from '../../../pipelines/model/change.ts';

const url = 'https://review.example.org/c/pkg/+/7';
const change: Change = {
  ...unproposed,
  ...{ id: 'review:7', key: 'review:7,2', kind: 'change', connection: 'review', project: 'pkg', branch: 'main' },
  ...{ ref: 'refs/changes/07/7/2', patchset: 2, subject: 'Mend it', owner: 'ada', url },
};
const said = {
  driver: 'any',
  connection: 'review',
  project: 'pkg',
  time: 5,
  patchset: 2,
  account: { username: 'ada' },
};
const events: readonly TriggerEvent[] = [
  { ...said, type: 'patchset-created' },
  { ...said, type: 'comment-added', comment: 'good', approvals: [{ label: 'Code-Review', value: 2, oldValue: 0 }] },
  { ...said, type: 'report', pipeline: 'check', action: 'failure', comment: 'Build failed.' },
  { ...said, type: 'report', comment: 'from before reports said what they are' },
  { ...said, type: 'pull_request', action: 'changed' },
  { ...said, type: 'gitea_pull_request', action: 'closed' },
  { ...said, type: 'hashtags-changed' },
];

const people = peopleElsewhere({
  connection: 'review',
  readChange: async (name) => (name === 'review:7' ? change : null),
  listOpenChanges: async () => [change],
  readEvents: async () => ({ events, last: events.length }),
});

test('what happened at another host is told in its order, our own reports as such', async () => {
  const { happenings, elsewhere, commit } = await people.history('review:7');
  assert.deepEqual(
    happenings.map(({ type, text, votes, report }) => [type, text, votes.length, report]),
    [
      ['patchset', null, 0, null],
      ['comment', 'good', 1, null],
      ['comment', 'Build failed.', 0, { pipeline: 'check', action: 'failure' }],
      ['comment', 'from before reports said what they are', 0, null],
      ['patchset', null, 0, null],
      ['abandoned', null, 0, null],
    ],
  );
  assert.deepEqual([elsewhere, commit], [url, '']);
});

test('people act where the change is, and are told where', async () => {
  const ada = { name: 'ada', kind: 'person', via: 'http' } as const;
  const refused = { name: 'Refused', message: new RegExp(url.replaceAll('+', '\\+')) };
  await assert.rejects(people.vote(ada, 'review:7', { label: 'Approved', value: 1 }), refused);
  await assert.rejects(people.comment(ada, 'review:7', 'recheck'), refused);
  await assert.rejects(people.abandon(ada, 'review:7'), refused);
  await assert.rejects(people.restore(ada, 'review:7'), refused);
  await assert.rejects(people.read('review:8'), { name: 'UnknownChange' });
  assert.deepEqual([(await people.list({})).length, (await people.list({ status: 'merged' })).length], [1, 0]);
});

test('of a host without pages it is told how Git says it, and a patch set is its author’s', async () => {
  const { url: _, ...bare } = { ...change, newrev: 'c0ffee' };
  const plain = peopleElsewhere({
    connection: 'plain',
    readChange: async () => bare,
    listOpenChanges: async () => [bare],
    readEvents: async () => ({ events: [{ ...said, account: undefined, type: 'patchset-created' } as never], last: 1 }),
  });
  const { happenings, ...history } = await plain.history('plain:pkg@x');
  assert.deepEqual([happenings[0]?.by, history.elsewhere, history.notesOn], ['ada', undefined, 'c0ffee']);
  const ada = { name: 'ada', kind: 'person', via: 'http' } as const;
  await assert.rejects(plain.comment(ada, 'plain:pkg@x', 'recheck'), /append -m recheck c0ffee`/);
  await assert.rejects(plain.restore(ada, 'plain:pkg@x'), /push its branch again/);
});
