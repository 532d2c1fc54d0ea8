import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildSetId,
  buildSetKey,
  gateId,
  jobId,
  mirrorId,
  parseBuildSetId,
  parseGateId,
  parseJobId,
  parseMirrorId,
  parseReleaseId,
  releaseId,
  splitBuildSetKey,
} from '../../workflows/ids.ts';

const buildSet = {
  tenant: 'main',
  pipeline: 'gate',
  project: 'libs/tiny cdb',
  change: 'git:5',
  patchset: 2,
  key: '7.1',
};
const job = { ...buildSet, job: 'build-deb@git:5', attempt: 3 };
const release = { tenant: 'main', repository: 'debian-12', merge: 'libs/tinycdb@abc' };
const gate = { tenant: 'main', pipeline: 'check', queue: 'libs/100%' };

const rows: [says: string, id: string, text: string, back: unknown, given: unknown][] = [
  ['a gate', gateId(gate), 'gate/main/check/libs%2F100%25', parseGateId(gateId(gate)), gate],
  [
    'a build set',
    buildSetId(buildSet),
    'buildset/main/gate/libs%2Ftiny cdb/git:5,2/7.1',
    parseBuildSetId(buildSetId(buildSet)),
    buildSet,
  ],
  ['a job', jobId(job), 'job/main/gate/libs%2Ftiny cdb/git:5,2/7.1/build-deb@git:5/3', parseJobId(jobId(job)), job],
  [
    'a release',
    releaseId(release),
    'release/main/debian-12/libs%2Ftinycdb@abc',
    parseReleaseId(releaseId(release)),
    release,
  ],
  ['a mirror set', mirrorId('deb'), 'mirror/deb', parseMirrorId(mirrorId('deb')), 'deb'],
];
for (const [says, id, text, back, given] of rows) {
  test(`${says} has an id that reads back`, () => {
    assert.equal(id, text);
    assert.deepEqual(back, given);
  });
}

test('R2: a key of a build set names its number and its life; older ones have the number alone', () => {
  const key = buildSetKey('7.1', '3fa9c2d1');
  assert.equal(key, '7.1-3fa9c2d1');
  assert.deepEqual(splitBuildSetKey(key), { key: '7.1', token: '3fa9c2d1' });
  assert.deepEqual(splitBuildSetKey('7.1'), { key: '7.1' });
  const named = { ...buildSet, key };
  assert.deepEqual(parseBuildSetId(buildSetId(named)), named);
  assert.deepEqual(parseJobId(jobId({ ...job, key })), { ...job, key });
});

test('an id of another kind is refused', () => {
  assert.throws(() => parseGateId('mirror/deb'), /not the id of a gate/);
  assert.throws(() => parseJobId('job/too/short'), /not the id of a job/);
});
