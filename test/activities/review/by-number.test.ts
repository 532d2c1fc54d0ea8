import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostAway } from '../../../activities/outcome.ts';
import { findByNumber } from '../../../activities/review/by-number.ts';
import { foundIn } from '../../../activities/review/port.ts';
import type { Change } from '../../../pipelines/model/change.ts';

const hub = (open: () => Promise<readonly Change[]>) => ({ connection: 'hub', listOpenChanges: open });
const changes = ['hub:a/b#1', 'hub:a/c#1', 'hub:a/b#21'].map((id) => ({ id }) as Change);

test('a bare number names the one open change that has it; a host that is away does not say that there is none', async () => {
  const find = (name: string) =>
    findByNumber(
      name,
      hub(async () => changes),
    );
  assert.deepEqual(await Promise.all(['21', '1', '2', 'a/b#1'].map(find)), [changes[2], null, null, undefined]);
  const away = hub(() => Promise.reject(new HostAway('h answers 502')));
  await assert.rejects(findByNumber('1', away), {
    name: 'HostAway',
    message: 'hub cannot say whether it has a change 1: h answers 502',
  });
  const broken = hub(() => Promise.reject(new TypeError('x')));
  await assert.rejects(findByNumber('1', broken), TypeError);
});

test('of several hosts one that is away counts where no other has anything, any other fault always', async () => {
  const away = () => Promise.reject(new HostAway('away'));
  assert.deepEqual(await foundIn([Promise.resolve(1), away(), Promise.resolve(null), Promise.resolve(2)]), [1, 2]);
  assert.deepEqual(await foundIn([Promise.resolve(null)]), []);
  await assert.rejects(foundIn([Promise.resolve(null), away()]), HostAway);
  await assert.rejects(foundIn([away(), Promise.resolve(1), Promise.reject(new TypeError('x'))]), TypeError);
});
