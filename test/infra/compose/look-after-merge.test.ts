import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookAfterMerge } from '../../../infra/compose/look-after-merge.ts';

const connections = [
  { name: 'git', served: true, stream: null },
  { name: 'review', served: false, stream: { isHeard: () => false } },
  { name: 'live', served: false, stream: { isHeard: () => true } },
];

test('a merge at another host is not kept waiting by the look at it, whatever comes of that, and told by a stream that is heard; at ours it is', async () => {
  const asked: string[] = [];
  const ends = Promise.withResolvers<number>();
  const look = async (connection: string, change: string) => {
    asked.push(`${connection} ${change}`);
    return ends.promise;
  };
  const after = lookAfterMerge({ look }, connections);
  await after('review', 'review:1');
  await after('live', 'live:1');
  const own = after('git', 'git:1');
  assert.deepEqual(asked, ['review review:1', 'git git:1']);
  assert.equal(await Promise.race([own.then(() => 'ended'), Promise.resolve('waits')]), 'waits');
  ends.reject(new Error('the host is away'));
  await assert.rejects(own, /away/);
});
