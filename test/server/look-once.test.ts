import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnknownChange } from '../../activities/review/people.ts';
import type { Happened, ReviewHost } from '../../activities/review/port.ts';
import type { Change, TriggerEvent } from '../../pipelines/model/change.ts';
import { HostedChanges } from '../../server/events/hosted-changes.ts';
import { handledEvents } from '../../server/events/ledger.ts';
import { lookOnce } from '../../server/events/look-once.ts';
import { change } from '../workflows/make.ts';

const at = (number: number, more: Partial<Change> = {}): Change => {
  const id = `review:${number}`;
  return { ...change(id, { project: 'p' }), id, key: `${id},1`, connection: 'review', ...more } as Change;
};
const voted: TriggerEvent = { type: 'comment-added', driver: 'gerrit', connection: 'review', project: 'p', time: 1 };

/** A host with two changes, of which one has had an event. */
function world(kind: 'whole' | 'parted') {
  const asked: string[] = [];
  const changes = [at(1), at(2)];
  const find = (id: string) => changes.find((one) => one.id === id) ?? null;
  let happened: readonly TriggerEvent[] = [voted];
  const host = {
    connection: 'review',
    async readChange(id: string) {
      asked.push(`read ${id}`);
      return find(id);
    },
    async listOpenChanges() {
      asked.push('list');
      return [...changes];
    },
    async readEvents(id: string, after: number): Promise<Happened> {
      asked.push(`events ${id} ${after}`);
      const now = find(id);
      if (now === null) throw new UnknownChange(id);
      const seen = { readChange: async () => now, canMerge: async () => ({ ok: true }) as const };
      return { events: happened.slice(after), last: happened.length, ...(kind === 'whole' ? { seen } : {}) };
    },
  } as unknown as ReviewHost;
  const hosted = new HostedChanges([host], [{ name: 'review', driver: 'gerrit', served: false }]);
  const handled = handledEvents({ wasTold: async () => false, markTold: async () => {} });
  const look = (id: string) => lookOnce({ host, changes: hosted, handled }, id);
  const happens = (...events: TriggerEvent[]) => {
    happened = events;
  };
  return { asked, changes, hosted, handled, look, happens };
}

test('a host that answers all of a change at once is asked once for it, and for no list', async () => {
  const { asked, changes, hosted, handled, look } = world('whole');
  await hosted.listOpen();
  await handled.mark('review:1', 0);
  asked.length = 0;
  changes[0] = at(1, { dependsOn: ['review:2'] });
  const looked = await look('review:1');
  assert.deepEqual([looked?.events, looked?.after, looked?.last], [[voted], 0, 1]);
  assert.equal(looked?.change, changes[0]);
  const open = await hosted.listOpen();
  assert.deepEqual(
    open.dependents.get('review:2')?.map(({ id }) => id),
    ['review:1'],
    'the list has what was read',
  );
  assert.deepEqual(asked, ['events review:1 0']);
});

test('what has merged or was abandoned is in the list of open changes no more once it is looked at', async () => {
  const { changes, hosted, handled, look } = world('whole');
  await hosted.listOpen();
  await handled.mark('review:1', 0);
  changes[0] = at(1, { status: 'merged' });
  await look('review:1');
  assert.deepEqual([...(await hosted.listOpen()).byId.keys()], ['review:2']);
});

test('a host that tells of a change by itself is asked for that after its events, and its list is read anew', async () => {
  const { asked, hosted, handled, look } = world('parted');
  await hosted.listOpen();
  await handled.mark('review:1', 0);
  asked.length = 0;
  assert.equal((await look('review:1'))?.change.id, 'review:1');
  await hosted.listOpen();
  assert.deepEqual(asked, ['events review:1 0', 'read review:1', 'list']);
});

test('nothing comes of a look where nothing has happened, or at what there is no more', async () => {
  const { changes, handled, look, happens } = world('whole');
  happens();
  assert.equal(await look('review:2'), null, 'seen for the first time');
  await handled.mark('review:1', 0);
  assert.equal(await look('review:1'), null);
  happens(voted);
  changes.length = 0;
  assert.equal(await look('review:1'), null, 'it is gone');
  assert.equal(await look('review:3'), null, 'it never was');
});
