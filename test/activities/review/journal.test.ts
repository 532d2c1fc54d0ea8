import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberHead } from '../../../activities/review/gitea/history.ts';
import type * as gitea from '../../../activities/review/gitea/schema.ts';
import { noticePull } from '../../../activities/review/github/history.ts';
import type * as github from '../../../activities/review/github/schema.ts';
import {
  currentLabels,
  lastHeadSince,
  type Noticed,
  noticeSince,
  openJournal,
} from '../../../activities/review/journal.ts';
import { scratch } from '../git/repository.ts';

const name = ['acme', 'tool', '7'];
const noticed = (key: string) => ({
  key,
  event: { type: 'pull_request', driver: 'github', connection: 'hub', project: 'acme/tool', time: 1, comment: key },
});
const keys = (entries: readonly { readonly key: string }[]) => entries.map(({ key }) => key);

test('what was noticed is there after a restart, in its order and with its words', async (t) => {
  const directory = await scratch(t);
  const journal = openJournal(directory);
  assert.deepEqual(await journal.extend(name, () => []), []);
  await journal.extend(name, (known) => (known.length === 0 ? [noticed('a'), noticed('b \ud800')] : []));
  await journal.extend(name, (known) => (known.length === 2 ? [noticed('c')] : []));
  const later = await openJournal(directory).extend(name, () => []);
  assert.deepEqual(keys(later), ['a', 'b \ud800', 'c']);
  assert.deepEqual(later[0], noticed('a'));
  assert.deepEqual(await openJournal(directory).extend(['acme', 'tool', '8'], () => []), []);
});

test('of several that notice the same at the same time one is first, and the others see it', async (t) => {
  const directory = await scratch(t);
  const journals = [openJournal(directory), openJournal(directory)];
  const add = (index: number, key: string) =>
    journals[index % 2]?.extend(name, (known) => (keys(known).includes(key) ? [] : [noticed(key)]));
  const heads = ['a', 'b', 'c', 'd'];
  await Promise.all(Array.from({ length: 24 }, (_, index) => add(index, heads[index % 4] ?? '')));
  const all = await openJournal(directory).extend(name, () => []);
  assert.deepEqual(keys(all).toSorted(), heads);
  for (const journal of journals) assert.deepEqual(await journal.extend(name, () => []), all);
});

test('a journal of an older version says since when its first head is seen from the next look on', () => {
  const head = (sha: string, time: number) => ({ key: `head:${sha}`, event: { ...noticed(sha).event, time } });
  const place = { driver: 'github', connection: 'hub', project: 'acme/tool' };
  // Made at 1, a label at 2, pushed at 3; first seen then.
  const known = [head('b', 1), { ...noticed('text'), digest: 'd' }];
  const labels = (entries: readonly Noticed[], time: number) =>
    currentLabels(['gate'], [{ name: 'gate', time }], lastHeadSince(entries));
  assert.deepEqual(labels(known, 2), []);
  assert.deepEqual(noticeSince(known, place, undefined), [], 'its host does not say');
  const [seen, ...more] = noticeSince(known, place, 4);
  assert.ok(seen);
  assert.deepEqual([seen.event.type, seen.event.action, more], ['head-seen', undefined, []]);
  const now = [...known, seen];
  assert.deepEqual([labels(now, 2), labels(now, 5), noticeSince(now, place, 6)], [[], ['gate'], []]);
  // A later head has always had the time of its push, or one after it.
  const pushed = [head('a', 1), head('b', 3)];
  assert.deepEqual([labels(pushed, 2), labels(pushed, 4), noticeSince(pushed, place, 6)], [[], ['gate'], []]);
});

test('GitHub and Gitea note since when an old journal has seen the head', async (t) => {
  const pull = { number: 7, title: '', body: '', base: { ref: 'main' }, head: { sha: 'b' } };
  const old = noticed('head:b');
  const scene = { connection: 'hub', project: 'acme/tool', self: '' };
  const hub = { ...pull, updated_at: '1970-01-01T00:00:04Z' } as unknown as github.Pull;
  const noted = noticePull([old], { ...scene, pull: hub });
  assert.deepEqual([lastHeadSince([old]), lastHeadSince([old, ...noted])], [Number.POSITIVE_INFINITY, 4_000]);
  assert.deepEqual(noticePull([old, ...noted], { ...scene, pull: hub }), []);

  const journal = openJournal(await scratch(t));
  await journal.extend(name, (known) => (known.length === 0 ? [old] : []));
  const tea = { ...pull, updated_at: 4_000 } as unknown as gitea.Pull;
  const site = { connection: 'tea', url: 'https://tea' };
  const look = { site, name: { project: 'acme/tool', number: 7 }, pull: tea, self: '', head: 'b' };
  for (const _ of [1, 2]) assert.deepEqual(await numberHead(journal, look), { patchset: 1, since: 4_000 });
  assert.equal((await journal.extend(name, () => [])).length, 2);
});
