import assert from 'node:assert/strict';
import { test } from 'node:test';
import { criticalPath } from '../../../bench/chain/critical-path.ts';
import type { ToolTimes } from '../../../infra/temporal/tool-times.ts';
import { gateId, jobId, mirrorId, releaseId } from '../../../workflows/ids.ts';

const item = { tenant: 'main', pipeline: 'gate', project: 'p', change: 'git:1', patchset: 1, key: '1.1' };
const gate = (pipeline: string) => gateId({ tenant: 'main', pipeline, queue: 'p' });
const job = (name: string) => jobId({ ...item, job: name, attempt: 1 });
const release = (repository: string) => releaseId({ tenant: 'main', repository, merge: 'p@1' });

/** An activity in which one tool ran from its start until a millisecond before its end. */
function activity(name: string, workflow: string, times: readonly [number, number, number]): ToolTimes {
  const [scheduled, started, ended] = times;
  return { activity: name, workflow, scheduled, started, ended, runs: [{ tool: 't', start: started, end: ended - 1 }] };
}

const chain = [
  activity('prepare', gate('gate'), [10, 10, 20]),
  activity('runStage', job('build-deb'), [20, 21, 100]),
  activity('runStage', job('build-rpm'), [20, 22, 150]),
  activity('runStage', job('lint-deb'), [101, 102, 160]),
  activity('runStage', job('publish-deb'), [101, 151, 170]),
  activity('runStage', job('install-deb'), [171, 172, 300]),
  activity('submit', gate('gate'), [301, 302, 310]),
  activity('prepare', gate('post'), [311, 311, 315]),
  activity('collect', release('debian-12'), [316, 316, 320]),
  activity('publishReleased', release('debian-12'), [321, 321, 340]),
  activity('retireTestRepositories', release('debian-12'), [342, 350, 500]),
  activity('syncMirrors', mirrorId('deb'), [341, 345, 400]),
  activity('syncMirrors', mirrorId('rpm'), [320, 321, 380]),
];

test('Follows what the change waited for: what it depends on, or what made room on the worker', () => {
  const path = criticalPath(chain, { pushed: 5, places: true });
  assert.deepEqual(
    path.map(({ node }) => node),
    ['prepare', 'build-rpm', 'publish-deb', 'install-deb', 'merge', 'prepare post', 'release deb', 'mirror deb'],
  );
});

test('By dependencies alone, the wait for a place is a gap before the job', () => {
  const path = criticalPath(chain, { pushed: 5, places: false });
  const jobs = path.slice(1, 4).map(({ node, gap }) => ({ node, gap }));
  assert.deepEqual(jobs, [
    { node: 'build-deb', gap: 1 },
    { node: 'publish-deb', gap: 51 },
    { node: 'install-deb', gap: 2 },
  ]);
});

test('Gaps and steps add up to the time from the push to the mirrors', () => {
  const path = criticalPath(chain, { pushed: 5, places: true });
  assert.equal(
    path.reduce((sum, { gap, wall }) => sum + gap + wall, 0),
    395,
  );
  assert.ok(path.every(({ tools, wall }) => tools < wall));
});

test('Says which step nothing is known of', () => {
  const unknown = chain.filter(({ workflow }) => workflow !== gate('post'));
  assert.throws(() => criticalPath(unknown, { pushed: 5, places: true }), /prepare post/);
});
