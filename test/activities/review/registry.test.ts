import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalGit } from '../../../activities/git/local.ts';
import { openConnection } from '../../../activities/review/registry.ts';
import { readSecret } from '../../../activities/review/secret.ts';

const place = { name: 'review', repositories: '/nowhere', page: '', owns: () => true };
const context = { ...place, settings: { driver: 'git' }, readSecret, git: createLocalGit('/nowhere') } as const;

test('a connection is opened by its driver', () => {
  const { host, people } = openConnection(context);
  assert.deepEqual([host.connection, people !== null], ['review', true]);
});

test('repositories elsewhere are not taken for our own: they are polled, and without a secret no hook is believed', async () => {
  const settings = { driver: 'git', url: 'https://git.example.org' } as const;
  const { host, people, stream, webhook } = openConnection({ ...context, settings });
  assert.deepEqual([people, stream !== null], [null, true]);
  assert.equal(await webhook?.isSigned({ headers: {}, body: Buffer.from('') }), false);
  assert.equal(host.gitRemote('a/b').url, 'https://git.example.org/a/b.git');
});

for (const driver of ['cvs', 'toString', '']) {
  test(`there is no driver ${JSON.stringify(driver)}, and the answer names those that there are`, () => {
    assert.throws(
      () => openConnection({ ...context, settings: { driver } as never }),
      /connection review: there is no driver .*; there are: git, gerrit, /,
    );
  });
}
