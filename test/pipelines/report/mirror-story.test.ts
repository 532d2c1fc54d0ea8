import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MirrorTry, unmirrored } from '../../../pipelines/report/mirror-story.ts';

const one = (outcome: string, startTime: number, given: Partial<MirrorTry> = {}): MirrorTry => ({
  ...{ set: 'web', outcome, startTime, hosts: { near: null, far: 'connection refused' } },
  ...given,
});
const failed =
  'The mirrors of the set web do not show what deb has got: the sync ended as failed (far: connection refused). See `sluice mirror status web`.';
const partial =
  'Not all mirrors of the set web show what deb has got: the sync ended as partial (far: connection refused). See `sluice mirror status web`.';

const cases: readonly [says: string, tries: readonly MirrorTry[], told: readonly string[]][] = [
  ['nothing was tried yet', [], []],
  ['the sync failed', [one('failed', 11)], [failed]],
  ['a host stays behind', [one('partial', 11)], [partial]],
  ['a later one went well', [one('committed', 12), one('failed', 11)], []],
  ['a later one is under way', [one('running', 12), one('failed', 11)], []],
  ['it is there, and a later release is not', [one('failed', 13), one('committed', 11)], []],
  ['one that went well before it was shown counts for nothing', [one('failed', 12), one('committed', 9)], [failed]],
  ['each set by itself', [one('failed', 12), one('committed', 11, { set: 'other' })], [failed]],
  ['no host says why', [one('failed', 11, { hosts: {} })], [failed.replace(' (far: connection refused)', '')]],
];

for (const [says, tries, told] of cases) {
  test(`what mirrors lack of a release: ${says}`, () => {
    assert.deepEqual(unmirrored({ repository: 'deb', shown: 10, tries }), told);
  });
}
