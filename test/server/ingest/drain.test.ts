import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ChangeNotReady, type Occurrence } from '../../../activities/review/port.ts';
import { type Database, openEmbeddedDatabase } from '../../../infra/store/database.ts';
import { createOccurrences } from '../../../infra/store/occurrences.ts';
import { createDoor } from '../../../server/ingest/door.ts';
import { startDrain } from '../../../server/ingest/drain.ts';
import type { OccurrenceStore } from '../../../server/ingest/port.ts';
import { occurrence, open, until } from './world.ts';

let directory: string;
let db: Database;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-ingest-'));
  db = await openEmbeddedDatabase(join(directory, 'store'), 'main');
});
after(async () => {
  await db.destroy();
  await rm(directory, { recursive: true });
});

let tenants = 0;
/** The store of a tenant of its own: making a database takes seconds. */
function emptyStore(): OccurrenceStore {
  tenants += 1;
  return createOccurrences({ db, tenant: `t${tenants}` });
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));

test('occurrences are handed on in the order in which they came, one that came twice once', async () => {
  const store = emptyStore();
  const handed: string[] = [];
  const { take, stop } = open({
    ...{ store, connections: ['a'] },
    hand: async (_connection, { id }) => void handed.push(id),
  });
  const ids = numbers(300);
  const fresh = await Promise.all([...ids, ...ids].map((id) => take('a', occurrence(id))));
  assert.deepEqual(
    fresh.map((each, index) => each === index < ids.length),
    fresh.map(() => true),
  );
  assert.equal(await take('a', occurrence('7')), false);
  await until(() => handed.length === ids.length);
  await stop();
  assert.deepEqual(handed, ids);
  assert.deepEqual(await store.backlog(), []);
});

test('one that fails is tried again while those of its connection wait, and no other connection does', async () => {
  const store = emptyStore();
  const handed: string[] = [];
  let failures = 0;
  const { take, stop } = open({
    ...{ store, connections: ['a', 'b'] },
    async hand(connection, { id }) {
      if (connection === 'a' && id === '0' && (failures < 3 || !handed.includes('b 1'))) {
        failures += 1;
        throw new Error('the host is away');
      }
      handed.push(`${connection} ${id}`);
    },
  });
  for (const [connection, id] of ['a0', 'a1', 'b0', 'b1']) await take(connection ?? '', occurrence(id ?? ''));
  await until(() => handed.length === 4);
  await stop();
  assert.ok(failures >= 3);
  assert.deepEqual(
    handed.filter((each) => each.startsWith('a')),
    ['a 0', 'a 1'],
  );
});

test('I9: one about a change of which the host cannot say anything yet keeps no other change waiting', async () => {
  const store = emptyStore();
  const handed: string[] = [];
  let ready = false;
  const { take, stop } = open({
    // Ten tries at this pace last longer than anything here may take.
    ...{ store, connections: ['a'], pause: 100 },
    async hand(_connection, { id, news: [first] }) {
      const change = first?.kind === 'look' ? first.change : '';
      if (change === 'slow' && !ready) throw new ChangeNotReady('the host has not said yet');
      handed.push(`${change} ${id}`);
    },
  });
  const about = (change: string, id: string) => ({ id, news: [{ kind: 'look', change } as const] });
  const quick = numbers(120).map((id) => about(`quick${id}`, `q${id}`));
  const all = [about('slow', 's1'), ...quick, about('slow', 's2'), about('other', 'o')];
  await Promise.all(all.map((one) => take('a', one)));
  await until(() => handed.length === quick.length + 1);
  assert.deepEqual([handed[0], handed.at(-1)], ['quick0 q0', 'other o']);
  ready = true;
  await until(() => handed.length === all.length);
  assert.deepEqual(handed.slice(-2), ['slow s1', 'slow s2'], 'in their order, each once');
  await until(async () => (await store.backlog()).length === 0);
  await stop();
});

test('one look at a change is enough for all that was told of it before, and one told meanwhile is one more', async () => {
  const store = emptyStore();
  const handed: string[] = [];
  const told = (id: string, ...changes: string[]): Occurrence => ({
    id,
    news: changes.map((change) => ({ kind: 'look', change })),
  });
  const door = createDoor(store, () => {});
  const early = [told('1', 'x'), told('2', 'y'), told('3', 'x'), told('4', 'y', 'z'), told('5', 'x', 'y')];
  for (const one of early) await door('a', one);
  const { take, stop } = open({
    ...{ store, connections: ['a'] },
    async hand(_connection, { id }) {
      handed.push(id);
      if (id === '1') await take('a', told('6', 'x'));
    },
  });
  await until(async () => handed.includes('6') && (await store.backlog()).length === 0);
  await stop();
  assert.deepEqual(handed, ['1', '2', '4', '6']);
});

test('one look at the projects is enough for all that was told of them before', async () => {
  const store = emptyStore();
  const handed: string[] = [];
  const door = createDoor(store, () => {});
  for (const id of ['1', '2', '3']) await door('a', { id, news: [{ kind: 'projects' }] });
  const { stop } = open({
    ...{ store, connections: ['a'] },
    hand: async (_connection, { id }) => void handed.push(id),
  });
  await until(async () => (await store.backlog()).length === 0);
  await stop();
  assert.deepEqual(handed, ['1']);
});

test('a look that fails is enough for nothing', async () => {
  const store = emptyStore();
  const handed: string[] = [];
  const door = createDoor(store, () => {});
  for (const id of ['1', '2']) await door('a', { id, news: [{ kind: 'look', change: 'x' }] });
  const { stop } = open({
    ...{ store, connections: ['a'] },
    async hand(_connection, { id }) {
      handed.push(id);
      if (id === '1') throw new Error('it cannot be looked at');
    },
  });
  await until(() => handed.includes('2'));
  await stop();
  assert.deepEqual([handed.length, handed.at(-1)], [10, '2']);
});

test('one that always fails is given up after ten tries, and counted', async () => {
  const store = emptyStore();
  const tries: string[] = [];
  const { take, stop } = open({
    ...{ store, connections: ['a'] },
    async hand(_connection, { id }) {
      tries.push(id);
      if (id === 'bad') throw new Error('no \0 good');
    },
  });
  await take('a', occurrence('bad'));
  await take('a', occurrence('good'));
  await until(() => tries.includes('good'));
  await stop();
  assert.deepEqual(tries, [...Array(10).fill('bad'), 'good']);
  assert.deepEqual(await store.backlog(), [{ connection: 'a', waiting: 0, dead: 1 }]);
  assert.equal(await take('a', occurrence('bad')), false, 'it stays known');
});

test('stopping does not wait for what hangs: that is handed on after the next start', async () => {
  const store = emptyStore();
  const handed: string[] = [];
  const hanging = open({
    ...{ store, connections: ['a'] },
    async hand(_connection, { id }) {
      handed.push(id);
      await new Promise(() => {});
    },
  });
  await hanging.take('a', occurrence('1'));
  await until(() => handed.length === 1);
  await hanging.stop();
  const { stop } = open({
    ...{ store, connections: ['a'] },
    hand: async (_connection, { id }) => void handed.push(id),
  });
  await until(() => handed.length === 2);
  await stop();
  assert.deepEqual([handed, await store.backlog()], [['1', '1'], []]);
});

test('what ends the process each time is given up as well', async () => {
  const store = emptyStore();
  const keep = createDoor(store, () => {});
  await keep('a', occurrence('deadly'));
  await keep('a', occurrence('good'));
  const handed: string[] = [];
  for (let start = 0; start < 10; start += 1) {
    // A process that ends while it hands on leaves nothing behind but what it wrote before.
    const { promise: killed, resolve: kill } = Promise.withResolvers<void>();
    let began = false;
    const settle: typeof store.settle = async (...given) => (began ? undefined : store.settle(...given));
    const drain = startDrain({
      ...{ store: { ...store, settle }, connections: ['a'], warn: () => {} },
      async hand(_connection, { id }) {
        began = true;
        handed.push(id);
        await killed;
      },
    });
    await until(() => began);
    const stopped = drain.stop();
    kill();
    await stopped;
    if (handed.includes('good')) break;
  }
  assert.deepEqual([...new Set(handed)], ['deadly', 'good']);
  assert.equal(handed.indexOf('good'), 9);
  assert.deepEqual(
    (await store.backlog()).map(({ dead }) => dead),
    [1],
  );
});

test('any text can be kept; what was handled long ago is forgotten, what waits is not', async () => {
  const store = emptyStore();
  const event = { type: 'comment-added', driver: 'x', connection: 'a', project: 'p', comment: 'a\0b \ud800', time: 1 };
  const odd = { id: 'odd', news: [{ kind: 'event', event }] } as const;
  assert.deepEqual(await store.keep([{ connection: 'a', occurrence: odd, received: 1 }]), [true]);
  assert.deepEqual(
    (await store.first('a', 9)).map((one) => one.occurrence),
    [odd],
  );
  await store.forget(2);
  assert.equal((await store.first('a', 9)).length, 1);
  await store.settle('a', 'odd', { state: 'done' });
  await store.forget(1);
  assert.deepEqual(await store.keep([{ connection: 'a', occurrence: odd, received: 1 }]), [false]);
  await store.forget(2);
  assert.deepEqual(await store.keep([{ connection: 'a', occurrence: odd, received: 1 }]), [true]);
});

test('a write that fails is said to each who waits for it, and the next one is tried anew', async () => {
  let broken = true;
  const take = createDoor(
    {
      async keep(arrivals) {
        if (broken) throw new Error('the disk is full');
        return arrivals.map(() => true);
      },
    },
    () => {},
  );
  const results = await Promise.allSettled(['0', '1', '2'].map((id) => take('a', occurrence(id))));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  broken = false;
  assert.equal(await take('a', occurrence('0')), true);
});

test('looks at several changes are read in turn and told of together, also where one of them is slow to read', async () => {
  const store = emptyStore();
  const door = createDoor(store, () => {});
  for (const id of ['first', 'a', 'b', 'c', 'slow']) await door('a', occurrence(id));
  const seen: string[] = [];
  const { promise: slowly, resolve: read } = Promise.withResolvers<void>();
  const { stop } = open({
    ...{ store, connections: ['a'] },
    async hand(_connection, { id }, mayTell) {
      if (id === 'slow') await slowly;
      seen.push(`${id} is read`);
      await mayTell();
      seen.push(id);
      if (id === 'c') read();
    },
  });
  await until(async () => seen.includes('slow') && (await store.backlog()).length === 0);
  await stop();
  // The first one after a start is by itself.
  assert.deepEqual(seen.slice(0, 5), ['first is read', 'first', 'a is read', 'b is read', 'c is read']);
  assert.deepEqual(seen.slice(5), ['a', 'b', 'c', 'slow is read', 'slow']);
});

test('of looks that are told of together, one that fails is tried again before anything later is taken', async () => {
  const store = emptyStore();
  const door = createDoor(store, () => {});
  for (const id of ['first', 'a', 'bad', 'c']) await door('a', occurrence(id));
  const seen: string[] = [];
  const { take, stop } = open({
    ...{ store, connections: ['a'] },
    async hand(_connection, { id }, mayTell) {
      await mayTell();
      const failed = seen.filter((one) => one === 'bad fails').length;
      if (id === 'bad' && failed === 0) await take('a', occurrence('later'));
      seen.push(id === 'bad' && failed < 3 ? 'bad fails' : id);
      if (seen.at(-1) === 'bad fails') throw new Error('Temporal is away');
    },
  });
  await until(async () => seen.includes('later') && (await store.backlog()).length === 0);
  await stop();
  assert.deepEqual(seen, ['first', 'a', 'c', 'bad fails', 'bad fails', 'bad fails', 'bad', 'later']);
});
