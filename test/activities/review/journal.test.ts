import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openJournal } from '../../../activities/review/journal.ts';
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
