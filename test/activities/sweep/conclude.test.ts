import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concludedBuild, concludedBuildSet, concludedRelease } from '../../../activities/sweep/conclude.ts';
import type { Fate } from '../../../pipelines/report/fate.ts';
import { aBuild, aBuildSet, aRelease } from '../../server/records.ts';

const outcome = { result: 'FAILURE', time: 40, summary: 'two tests fail', artifacts: [{ name: 'log', url: '/log' }] };
const build = { build: 'b', attempt: 1, outcome };

const fates: readonly [Fate, build: string, summary: RegExp, buildSet: string][] = [
  [{ kind: 'completed', result: build, time: 50 }, 'FAILURE', /two tests fail/, 'DEQUEUED'],
  [{ kind: 'completed', result: 'SUCCESS', time: 50 }, 'ERROR', /cannot be read/, 'SUCCESS'],
  [{ kind: 'completed', result: null, time: 50 }, 'ERROR', /cannot be read/, 'DEQUEUED'],
  [{ kind: 'failed', reason: 'no such thing', time: 50 }, 'ERROR', /no such thing/, 'ERROR'],
  [{ kind: 'canceled', time: 50 }, 'CANCELED', /cancelled/, 'DEQUEUED'],
  [{ kind: 'terminated', time: 50 }, 'ABORTED', /terminated in Temporal/, 'DEQUEUED'],
  [{ kind: 'timed-out', time: 50 }, 'TIMED_OUT', /out of time/, 'DEQUEUED'],
  [{ kind: 'unknown', time: null }, 'ABORTED', /does not know/, 'DEQUEUED'],
];
for (const [fate, result, summary, buildSet] of fates) {
  const endTime = fate.time ?? 70;
  test(`W4: what is recorded as running ends as Temporal says: ${fate.kind} ${JSON.stringify('result' in fate ? fate.result : '')}`, () => {
    const ended = concludedBuild(aBuild({ result: null, endTime: null }), fate, 70);
    assert.deepEqual([ended.result, ended.endTime], [result, endTime]);
    assert.match(ended.summary, summary);
    const set = concludedBuildSet(aBuildSet({ result: null, endTime: null }), fate, 70);
    assert.deepEqual([set.result, set.endTime], [buildSet, endTime]);
    const release = concludedRelease(aRelease({ state: 'running', endTime: null }), fate, 70);
    assert.deepEqual([release.state, release.endTime], ['failed', endTime]);
    assert.notEqual(release.summary, '');
  });
}
