import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRetirement, type RetireDeps } from '../../../activities/jobs/retire.ts';
import type { ReleaseRecord } from '../../../activities/report/types.ts';
import type { BuildRecord, BuildSetRecord } from '../../../workflows/contract.ts';

const post = { pipeline: 'post', key: 'post.1' };

function buildSet(pipeline: string, key: string, times: readonly [start: number, end: number | null]): BuildSetRecord {
  const [startTime, endTime] = times;
  const name = { tenant: 'main', pipeline, project: 'lib', change: 'A', patchset: 1, key };
  return { ...name, workflow: key, queue: 'core', changes: ['A,1'], result: null, startTime, endTime };
}

/** A build that published a test repository, and ended at 10. */
function published(pipeline: string, format: 'deb' | 'rpm'): BuildRecord {
  const about = { type: 'test-repository', format, platform: 'p', codename: '', project: 'lib' } as const;
  const metadata = { ...about, manifest: `sha256:${'0'.repeat(64)}` };
  const url = `http://sluice.test/repositories/test/${pipeline}-${format}/`;
  return {
    ...{ id: pipeline, tenant: 'main', pipeline, project: 'lib', branch: 'main', change: 'A', patchset: 1 },
    ...{ job: `publish-${format}`, attempt: 1, buildSet: 'x', workflow: 'x', stage: 'publish', voting: true },
    ...{ label: 'p', result: 'SUCCESS', summary: '', startTime: 0, endTime: 10, alone: false },
    artifacts: [{ name: 'test-repository', url, metadata }],
  };
}

function release(format: string, state: ReleaseRecord['state'] = 'published'): ReleaseRecord {
  return {
    ...{ id: format, tenant: 'main', project: 'lib', branch: 'main', change: 'A', patchset: 1, commit: 'c', tree: 't' },
    ...{ origin: 'promoted', state, summary: '', repositories: [], startTime: 20, endTime: 30 },
    packages: [{ format, name: 'lib', version: '1', arch: 'all', digest: 'd' }],
  };
}

const ended = [buildSet('check', 'check.1', [0, 11]), buildSet('gate', 'gate.1', [5, 15])];
const asking = buildSet('post', 'post.1', [16, null]);
const all = ['check-deb', 'gate-deb', 'gate-rpm'];

interface Row {
  readonly says: string;
  readonly status?: 'open' | 'merged' | 'abandoned';
  readonly releases?: readonly ReleaseRecord[];
  readonly others?: readonly BuildSetRecord[];
  readonly gone: readonly string[];
}

const rows: readonly Row[] = [
  { says: 'what is open stays', status: 'open', gone: [] },
  { says: 'what has merged stays until it is released', gone: [] },
  {
    says: 'what is released in a format goes, in every pipeline; the other format stays',
    releases: [release('deb')],
    gone: ['check-deb', 'gate-deb'],
  },
  {
    says: 'with the last release everything goes',
    releases: [release('deb'), release('rpm')],
    gone: all,
  },
  {
    says: 'what a plan has superseded goes as what it has shown',
    releases: [release('deb', 'superseded')],
    gone: ['check-deb', 'gate-deb'],
  },
  { says: 'what waits for a plan stays', releases: [release('deb', 'waiting')], gone: [] },
  { says: 'a release that failed counts for nothing', releases: [release('deb', 'failed')], gone: [] },
  {
    says: 'what runs since before the release may be using it: it stays',
    releases: [release('deb')],
    others: [buildSet('gate', 'gate.2', [12, null])],
    gone: [],
  },
  {
    says: 'what began after the release does not know of it',
    releases: [release('deb')],
    others: [buildSet('gate', 'gate.2', [31, null])],
    gone: ['check-deb', 'gate-deb'],
  },
  { says: 'what was abandoned goes', status: 'abandoned', gone: all },
  {
    says: 'what was abandoned stays while its own build set runs',
    status: 'abandoned',
    others: [buildSet('gate', 'gate.2', [9, null])],
    gone: [],
  },
];

for (const { says, status = 'merged', releases = [], others = [], gone } of rows) {
  test(says, async () => {
    const removed: string[] = [];
    const deps: RetireDeps = {
      rules: { codename: 'bookworm', lines: [] },
      buildSets: async () => [...others, asking, ...ended],
      releases: async () => releases,
      buildsOf: async () => [published('check', 'deb'), published('gate', 'deb'), published('gate', 'rpm')],
      statusOf: async () => status,
      remove: async (url) => void removed.push(url),
    };
    await createRetirement(deps)(post);
    const paths = gone.map((name) => `http://sluice.test/repositories/test/${name}/`);
    assert.deepEqual(removed, paths);
    await createRetirement(deps)(post);
    assert.deepEqual(removed, [...paths, ...paths], 'doing it again does the same');
  });
}
