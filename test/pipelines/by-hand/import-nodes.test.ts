import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { importedNodes, sizesAtOnce } from '../../../pipelines/by-hand/import-nodes.ts';
import type { FrozenJob } from '../../../pipelines/model/job.ts';
import { frozenJob } from '../../workflows/make.ts';

const nodeset = (...labels: string[]) => ({
  name: '',
  nodes: labels.map((label, index) => ({ name: [`n${index}`], label })),
  groups: [],
});
const program = (path: string) => [{ path }] as unknown as FrozenJob['run'];

test('what the jobs of an export may have is that of each nodeset, and of programs that playbooks run in', () => {
  const jobs: readonly FrozenJob[] = [
    { ...frozenJob('build'), uses: 'build', nodeset: nodeset('a'), alternatives: [nodeset('b', 'b')] },
    { ...frozenJob('publish'), uses: 'publish', nodeset: nodeset('a'), dependencies: [{ name: 'build', soft: false }] },
    { ...frozenJob('bare'), run: program('x.sh') },
    { ...frozenJob('play'), run: program('x.yaml'), nodeset: nodeset('a', 'c') },
    { ...frozenJob('last'), dependencies: [{ name: 'play', soft: true }] },
  ];
  assert.deepEqual(importedNodes({ jobs, failFast: false, warnings: [] }), [
    { labels: ['a'], stays: false },
    { labels: ['b', 'b'], stays: false },
    { labels: [], stays: false },
    { labels: ['debian-12'], stays: false },
    { labels: ['a', 'c', 'a'], stays: true },
    { labels: [], stays: false },
  ]);
});

const sizes = fc.array(fc.record({ cores: fc.nat(8), ramGb: fc.nat(16) }), { maxLength: 4 });
const sum = (all: readonly { cores: number; ramGb: number }[]) => ({
  servers: all.length,
  cores: all.reduce((total, { cores }) => total + cores, 0),
  ramGb: all.reduce((total, { ramGb }) => total + ramGb, 0),
});

test('what is had at once covers all that pause and any other job besides, and jobs that are alike take no more than one', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ sizes, stays: fc.boolean() }), { maxLength: 6 }), (jobs) => {
      const most = sum(sizesAtOnce(jobs));
      const paused = jobs.filter(({ stays }) => stays).flatMap((job) => job.sizes);
      for (const job of [...jobs.filter(({ stays }) => !stays), { sizes: [] }]) {
        const had = sum([...paused, ...job.sizes]);
        for (const key of ['servers', 'cores', 'ramGb'] as const) assert.ok(most[key] >= had[key]);
      }
    }),
  );
  const alike = { sizes: [{ cores: 2, ramGb: 4 }], stays: false };
  assert.deepEqual(sizesAtOnce([alike, alike, { sizes: [], stays: false }]), alike.sizes);
  assert.deepEqual(sizesAtOnce([]), []);
});
