import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openConnection } from '../../../activities/review/registry.ts';

const context = { name: 'review', repositories: '/nowhere', page: '', owns: () => true };

test('a connection is opened by its driver', () => {
  const { host, people } = openConnection('git', context);
  assert.deepEqual([host.connection, people !== null], ['review', true]);
});

for (const driver of ['cvs', 'toString', '']) {
  test(`there is no driver ${JSON.stringify(driver)}, and the answer names those that there are`, () => {
    assert.throws(() => openConnection(driver, context), /connection review: there is no driver .*; there are: git$/);
  });
}
