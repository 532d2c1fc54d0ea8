import type { MirrorRecord, ReleaseRecord } from '../../activities/report/types.ts';
import type {
  BuildRecord,
  BuildSetRecord,
  ItemSnapshot,
  JobSnapshot,
  QueueSnapshot,
} from '../../workflows/contract.ts';

/** Records that are complete and plausible; a test names only what it is about. */

const identity = { tenant: 'main', pipeline: 'gate', project: 'tinycdb', branch: 'master', change: 'I1', patchset: 1 };

export function aBuild(given: Partial<BuildRecord> = {}): BuildRecord {
  return {
    ...identity,
    id: 'b1',
    job: 'deb-build',
    attempt: 1,
    buildSet: 'gate-1.1',
    workflow: 'job/main/gate/tinycdb/I1,1/gate-1.1/deb-build/1',
    stage: 'build',
    voting: true,
    label: 'debian-12',
    result: 'SUCCESS',
    summary: 'built tinycdb 0.81-1',
    artifacts: [],
    startTime: 1_000,
    endTime: 2_000,
    alone: false,
    ...given,
  };
}

export function aBuildSet(given: Partial<BuildSetRecord> = {}): BuildSetRecord {
  const { branch: _, ...name } = identity;
  return {
    ...name,
    key: 'gate-1.1',
    workflow: 'buildset/main/gate/tinycdb/I1,1/gate-1.1',
    queue: 'packages',
    changes: ['I1'],
    result: 'SUCCESS',
    startTime: 1_000,
    endTime: 9_000,
    ...given,
  };
}

export function aJob(given: Partial<JobSnapshot> = {}): JobSnapshot {
  return {
    key: 'deb-build',
    name: 'deb-build',
    voting: true,
    dependencies: [],
    attempt: 1,
    result: null,
    startTime: null,
    endTime: null,
    summary: '',
    artifacts: [],
    waiting: [],
    ...given,
  };
}

export function anItem(given: Partial<ItemSnapshot> = {}): ItemSnapshot {
  return {
    id: 'gate-1',
    ahead: null,
    active: true,
    changes: [
      { id: 'I1', project: 'tinycdb', branch: 'master', patchset: 1, subject: 'Fix a leak', owner: 'ada@example.org' },
    ],
    enqueueTime: 1_000,
    buildSet: 'gate-1.1',
    workflow: 'buildset/main/gate/tinycdb/I1,1/gate-1.1',
    state: 'running',
    reason: '',
    jobs: [],
    ...given,
  };
}

export function aQueue(given: Partial<QueueSnapshot> = {}): QueueSnapshot {
  return {
    tenant: 'main',
    pipeline: 'gate',
    queue: 'packages',
    workflow: 'gate/main/gate/packages',
    sequence: 1,
    time: 1_000,
    manager: 'dependent',
    description: 'Changes that are approved are tested together and merged.',
    window: 20,
    items: [],
    ...given,
  };
}

export function aRelease(given: Partial<ReleaseRecord> = {}): ReleaseRecord {
  const { pipeline: _, ...about } = identity;
  return {
    ...about,
    id: 'release/main/debian-12/1',
    commit: 'c'.repeat(40),
    tree: 'd'.repeat(40),
    origin: 'promoted',
    state: 'published',
    summary: 'tinycdb 0.81-1 published',
    packages: [
      { format: 'deb', name: 'tinycdb', version: '0.81-1', arch: 'amd64', digest: `sha256:${'1'.repeat(64)}` },
    ],
    repositories: [{ format: 'deb', url: 'http://127.0.0.1:8080/released/deb' }],
    startTime: 10_000,
    endTime: 20_000,
    ...given,
  };
}

export function aMirror(given: Partial<MirrorRecord> = {}): MirrorRecord {
  return {
    id: 'mirror/deb/1',
    set: 'deb',
    snapshot: 'deb-2026-01-01-000000',
    outcome: 'committed',
    artifacts: [{ name: 'packages.json', url: '/api/artifacts/x/packages.json' }],
    result: { hosts: { m1: { outcome: 'committed', phase: 'done' } } },
    startTime: 20_000,
    endTime: 21_000,
    ...given,
  };
}
