import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReuse, jobDigest } from '../../../activities/jobs/reuse.ts';
import type { BeginJob } from '../../../workflows/activities.ts';
import type { BuildRecord, JobInput } from '../../../workflows/contract.ts';
import { frozenJob } from '../../workflows/make.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const job = frozenJob('build-deb', { uses: 'build', attempts: 3 });

/** A build of the change in `check`, done, unless it is said otherwise. */
function build(manifest: string, given: Partial<BuildRecord> = {}): BuildRecord {
  const packages = { type: 'packages', format: 'deb', platform: 'debian-12', project: 'a', name: 'a', version: '1' };
  const artifacts = [{ name: 'packages', url: '', metadata: { ...packages, manifest } }];
  const who = { pipeline: 'check', buildSet: '1.1', change: 'git:4', patchset: 2, job: 'build-deb', attempt: 1 };
  const how = { stage: 'build', result: 'SUCCESS', startTime: 1, endTime: 2, alone: false, artifacts };
  return { ...who, ...how, ...given } as unknown as BuildRecord;
}

const url = 'http://here/repositories/test/git-4-2/';

function published(manifest: string): BuildRecord {
  const metadata = { type: 'test-repository', format: 'deb', platform: 'debian-12', codename: 'b', project: 'a' };
  const artifacts = [{ name: 'test-repository-deb', url, metadata: { ...metadata, manifest } }];
  return build(manifest, { job: 'publish-deb', stage: 'publish', artifacts });
}

interface Asked {
  readonly builds: readonly BuildRecord[];
  readonly input?: Partial<JobInput>;
  readonly byHand?: boolean;
  readonly there?: boolean;
  readonly pipelines?: readonly string[];
}

async function offered({ builds, input, byHand = false, there = true, pipelines = ['gate'] }: Asked) {
  const reuse = createReuse({
    builds: async () => builds,
    isThere: async () => there,
    reuses: async (pipeline) => pipelines.includes(pipeline),
  });
  const asked = { pipeline: 'gate', change: 'git:4', patchset: 2, job, attempt: 1, ...input };
  return reuse({ job: asked, byHand } as unknown as BeginJob);
}

const one = build(digest('1'));

const rows: readonly [says: string, asked: Asked, manifests: readonly string[]][] = [
  ['one of check is offered to the gate', { builds: [one] }, [digest('1')]],
  ['one whose test repository is there, too', { builds: [published(digest('1')), one] }, [digest('1')]],
  [
    'of several items each, the newest first',
    { builds: [build(digest('2'), { pipeline: 'gate', buildSet: '7.1-aa' }), one] },
    [digest('2'), digest('1')],
  ],
  ['one that failed is not', { builds: [build(digest('1'), { result: 'FAILURE' })] }, []],
  ['one that still runs is not', { builds: [build(digest('1'), { result: null, artifacts: [] })] }, []],
  ['one of another patch set is not', { builds: [build(digest('1'), { patchset: 1 })] }, []],
  ['one of another job is not', { builds: [build(digest('1'), { job: 'build-rpm' })] }, []],
  ['what a script calls packages is not', { builds: [build(digest('1'), { stage: 'script' })] }, []],
  ['one whose test repository is gone is not', { builds: [published(digest('1')), one], there: false }, []],
  [
    'one that somebody has run again is not, whatever came of that',
    { builds: [build(digest('2'), { attempt: 2, startTime: 3, result: 'FAILURE' }), one] },
    [],
  ],
  [
    'not while it is run again either',
    { builds: [build(digest('2'), { attempt: 2, startTime: 3, result: null, artifacts: [] }), one] },
    [],
  ],
  [
    'one that was run again by hand after its report is not, nor is that run',
    { builds: [build(digest('2'), { alone: true, startTime: 3 }), one] },
    [],
  ],
  [
    'one that was started by hand and adopted is not',
    { builds: [build(digest('1'), { adopted: { workflow: 'w', job: 'build-deb' } })] },
    [],
  ],
  ['a second attempt takes nothing over: retriggered it runs', { builds: [one], input: { attempt: 2 } }, []],
  ['a job that was started by hand takes nothing over', { builds: [one], byHand: true }, []],
  ['a pipeline that does not reuse takes nothing over', { builds: [one], input: { pipeline: 'check' } }, []],
];

for (const [says, asked, manifests] of rows) {
  test(`W17: of builds that may be reused, ${says}`, async () => {
    assert.deepEqual(await offered(asked), { job: jobDigest(job), manifests });
  });
}

test('W17: only builds are reused, not what is tried of them', async () => {
  const input = { job: frozenJob('install-deb', { uses: 'install' }) };
  assert.equal(await offered({ builds: [one], input }), undefined);
});

test('W17: a job is told apart by everything that it was frozen to, but for where that stands', () => {
  const same = { ...job, variants: ['zuul.yaml:9:1'] };
  assert.equal(jobDigest(same), jobDigest(job));
  for (const edited of [
    { ...job, vars: { flags: '-O3' } },
    { ...job, timeout: 1 },
    { ...job, nodeset: { name: 'other', nodes: [], groups: [] } },
    { ...job, requires: ['lib'] },
    { ...job, postReview: !job.postReview },
  ]) {
    assert.notEqual(jobDigest(edited), jobDigest(job));
  }
});
