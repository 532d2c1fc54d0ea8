import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type UnreleasedDeps, unreleased } from '../../../activities/jobs/unreleased.ts';
import type { ReleaseRecord } from '../../../activities/report/types.ts';
import type { BuildRecord, BuildSetRecord } from '../../../workflows/contract.ts';

const hour = 3_600_000;
const now = 100 * hour;

function buildSet(change: string, endTime: number): BuildSetRecord {
  const name = { tenant: 'main', pipeline: 'gate', project: 'lib', change, patchset: 1, key: `${change}.1` };
  return { ...name, workflow: change, queue: 'core', changes: [change], result: 'SUCCESS', startTime: 0, endTime };
}

function published(change: string, key: string, format: 'deb' | 'rpm'): BuildRecord {
  const metadata = {
    type: 'test-repository',
    format,
    platform: 'p',
    codename: '',
    project: 'lib',
    manifest: `sha256:${'0'.repeat(64)}`,
  };
  const artifacts = [{ name: 'test-repository', url: `http://sluice.test/${key}/${format}`, metadata }];
  const identity = { id: key, tenant: 'main', pipeline: 'gate', project: 'lib', branch: 'main', change, patchset: 1 };
  return {
    ...{
      ...identity,
      job: `publish-${format}`,
      attempt: 1,
      buildSet: key,
      workflow: key,
      stage: 'publish',
      voting: true,
    },
    ...{ label: 'p', result: 'SUCCESS', summary: '', artifacts, startTime: 0, endTime: 1, alone: false },
  };
}

function release(change: string, format: string, name?: string): ReleaseRecord {
  const where = {
    id: `${change}/${format}`,
    tenant: 'main',
    project: 'lib',
    branch: 'main',
    change,
    patchset: 1,
    commit: 'c',
    tree: 't',
  };
  const packages = [{ format, name: 'lib', version: '1', arch: 'all', digest: 'd' }];
  return {
    ...where,
    origin: 'promoted',
    state: 'published',
    summary: '',
    packages,
    repositories: name === undefined ? [] : [{ format, name, url: '' }],
    startTime: 0,
    endTime: 1,
  };
}

/** One that a plan is to show. */
function waiting(change: string, repository: string): ReleaseRecord {
  const prepared = { format: 'deb', repository, platform: 'p' } as ReleaseRecord['prepared'] & object;
  return { ...release(change, 'deb', repository), state: 'waiting', prepared };
}

const world = (parts: Partial<UnreleasedDeps>): UnreleasedDeps => ({
  rules: { codename: 'bookworm', lines: [] },
  succeeded: async () => [buildSet('B', now - 1), buildSet('A', now - 2)],
  releases: async () => [],
  waiting: async () => [],
  succeededOf: async () => [],
  buildsOf: async ({ change, key }) => [
    published(change, key, 'deb'),
    published(change, key, 'rpm'),
    published(change, `${change}.0`, 'deb'),
  ],
  isMerged: async () => true,
  isThere: async () => true,
  warn: () => {},
  ...parts,
});

const job = { format: 'deb', platform: 'p', branch: 'main' } as const;
const line = { name: 'deb-p', platforms: ['p'], codename: 'trixie' };
const lines = { codename: 'bookworm', lines: [line] };

const rows: [says: string, parts: Partial<UnreleasedDeps>, expected: string[]][] = [
  [
    'what has merged is offered until it is released, oldest first, of the last build set alone',
    {},
    ['A.1/deb', 'B.1/deb'],
  ],
  [
    'of a job that was run again what its last attempt made is offered, and nothing that was made alone',
    {
      buildsOf: async ({ change, key }) => {
        const build = published(change, key, 'deb');
        const made = (url: string) => build.artifacts.map((artifact) => ({ ...artifact, url }));
        return [
          { ...build, attempt: 3, alone: true, artifacts: made('http://sluice.test/alone') },
          { ...build, attempt: 2 },
          { ...build, artifacts: made('http://sluice.test/first') },
        ];
      },
    },
    ['A.1/deb', 'B.1/deb'],
  ],
  [
    'what is released in the format is not offered any more',
    { releases: async () => [release('A', 'deb')] },
    ['B.1/deb'],
  ],
  [
    'a release in the other format does not count',
    { releases: async () => [release('A', 'rpm')] },
    ['A.1/deb', 'B.1/deb'],
  ],
  [
    'what passed but did not merge (a check) is not offered',
    { isMerged: async (change) => change === 'B' },
    ['B.1/deb'],
  ],
  [
    'W1: a test repository that is gone is no source',
    { isThere: async (url) => !url.startsWith('http://sluice.test/A.1/') },
    ['B.1/deb'],
  ],
  [
    'W1: a change that cannot be read keeps no other from being offered',
    {
      isMerged: async (change) => {
        if (change === 'A') throw new Error('no such change');
        return true;
      },
    },
    ['B.1/deb'],
  ],
  [
    'W1: a build whose record names no test repository keeps no other from being offered',
    {
      isThere: async (url) => {
        if (url.startsWith('http://sluice.test/A.1/')) throw new Error('names no test repository');
        return true;
      },
    },
    ['B.1/deb'],
  ],
  [
    'what is released for another platform is not released for the line',
    { rules: lines, releases: async () => [release('A', 'deb')] },
    ['A.1/deb', 'B.1/deb'],
  ],
  [
    'what is released in the line is not offered any more',
    { rules: lines, releases: async () => [release('A', 'deb', 'deb-p')] },
    ['B.1/deb'],
  ],
  [
    'what goes into another line is not offered',
    {
      rules: { ...lines, lines: [line, { ...line, name: 'deb-q', branches: ['stable'] }] },
      buildsOf: async ({ change, key }) => [{ ...published(change, key, 'deb'), branch: 'stable' }],
    },
    [],
  ],
  [
    'what goes into a line that its own goes with is offered until it is released there',
    {
      rules: {
        ...lines,
        lines: [
          { ...line, with: ['deb-q'] },
          { ...line, name: 'deb-q', branches: ['stable'] },
        ],
      },
      buildsOf: async ({ change, key }) => [{ ...published(change, key, 'deb'), branch: 'stable' }],
      releases: async () => [release('A', 'deb', 'deb-q')],
    },
    ['B.1/deb'],
  ],
  [
    'what waits for a release plan is offered however long, before what merged since',
    {
      rules: lines,
      succeeded: async () => [buildSet('B', now - 1)],
      waiting: async () => [waiting('A', 'deb-p')],
      succeededOf: async (change) => [buildSet(change, now - 900 * hour)],
    },
    ['A.1/deb', 'B.1/deb'],
  ],
  [
    'what waits for a plan is offered once, and not where its line is not seen',
    {
      rules: lines,
      waiting: async () => [waiting('A', 'deb-p'), waiting('C', 'deb-q')],
      succeededOf: async (change) => [buildSet(change, now - 2)],
    },
    ['A.1/deb', 'B.1/deb'],
  ],
  [
    'what something newer has superseded is not offered',
    { rules: lines, releases: async () => [{ ...release('A', 'deb', 'deb-p'), state: 'superseded' }] },
    ['B.1/deb'],
  ],
  ['what merged long ago is not waited for', { succeeded: async () => [buildSet('A', now - 25 * hour)] }, []],
];
for (const [says, parts, expected] of rows) {
  test(says, async () => {
    const found = await unreleased(world(parts), { job, now });
    assert.deepEqual(
      found.map(({ url }) => url),
      expected.map((path) => `http://sluice.test/${path}`),
    );
  });
}
