import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPeople } from '../../../activities/review/git/people.ts';
import { receive } from '../../../activities/review/git/receive/receive.ts';
import type { People } from '../../../activities/review/people.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';
import { account, idFor, messageFor } from './developer.ts';

const bob = account('Bob');
const vote = { label: 'Approved', value: 1 };
const refusals: [says: string, name: string, words: RegExp, act: (people: People) => Promise<unknown>][] = [
  ['a change that is not there', 'UnknownChange', /there is no change "77"/, (people) => people.vote(bob, '77', vote)],
  ['a name of another kind', 'UnknownChange', /there is no change/, (people) => people.read('../../etc/passwd')],
  ['a Change-Id on two branches', 'UnknownChange', /several changes: .*say which/, (people) => people.read(idFor('a'))],
  [
    'a label in small letters',
    'Refused',
    /is no label/,
    (people) => people.vote(bob, '1', { ...vote, label: 'approved' }),
  ],
  ['a label with a line end', 'Refused', /is no label/, (people) => people.vote(bob, '1', { ...vote, label: 'A\nB' })],
  ['a vote that is too large', 'Refused', /from -10 to 10/, (people) => people.vote(bob, '1', { ...vote, value: 11 })],
  ['half a vote', 'Refused', /whole number/, (people) => people.vote(bob, '1', { ...vote, value: 0.5 })],
  ['restoring an open change', 'Refused', /change 1 is open: only abandoned/, (people) => people.restore(bob, '1')],
  ['abandoning twice', 'Refused', /change 2 is abandoned already/, (people) => people.abandon(bob, '2')],
  ['voting on an abandoned change', 'Refused', /only open changes take votes/, (people) => people.vote(bob, '2', vote)],
];
for (const [says, name, words, act] of refusals) {
  test(`refused: ${says}`, async (t) => {
    const root = join(await scratch(t), 'git');
    const repo = await bareRepository(root, 'alpha');
    const base = await makeCommit(repo, { files: { start: '' } });
    const settings = { root, connection: 'git', page: '' };
    for (const branch of ['master', 'stable']) {
      await setBranch(repo, branch, base);
      const commit = await makeCommit(repo, { parents: [base], files: { a: branch }, message: messageFor('a') });
      const commands = [{ ref: `refs/for/${branch}`, old: '0'.repeat(40), new: commit }];
      await receive(settings, { project: 'alpha', commands, options: [], pusher: account('Ada'), remote: 'origin' });
    }
    const people = createPeople(settings);
    await people.abandon(account('Ada'), 'alpha/2');
    const before = await people.list({});
    await assert.rejects(act(people), (error: Error) => error.name === name && words.test(error.message));
    assert.deepEqual(await people.list({}), before);
  });
}
