import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLookup } from '../../../../activities/review/git/lookup.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../../git/repository.ts';

test('several releases of one project look its commit up at once', async (t) => {
  const root = await scratch(t);
  const hosts = join(root, 'hosts');
  const repo = await bareRepository(hosts, 'alpha');
  const commit = await makeCommit(repo, { files: { a: 'a\n' } });
  await setBranch(repo, 'master', commit);
  const [one, other] = [0, 1].map(() => openLookup({ hosts, scratch: join(root, 'scratch') }));
  const asks = Array.from({ length: 8 }, (_, index) => {
    const lookUp = index % 2 === 0 ? one : other;
    return lookUp?.({ project: 'alpha', branch: 'master', commit });
  });
  for (const found of await Promise.all(asks)) assert.equal(found?.tip, commit);
});
