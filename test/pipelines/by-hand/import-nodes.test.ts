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
const size = { cores: 6, ramGb: 12 };
/** The first of its nodes asks for more. */
const sized = ({ nodes: [first, ...rest], ...of }: ReturnType<typeof nodeset>) => {
  return { ...of, nodes: [{ name: ['n0'], label: '', ...first, size }, ...rest] };
};
const program = (path: string) => [{ path }] as unknown as FrozenJob['run'];

test('what the jobs of an export may have is that of each nodeset, and of programs that playbooks run in', () => {
  const jobs: readonly FrozenJob[] = [
    { ...frozenJob('build'), uses: 'build', nodeset: nodeset('a'), alternatives: [nodeset('b', 'b')] },
    { ...frozenJob('publish'), uses: 'publish', nodeset: nodeset('a'), dependencies: [{ name: 'build', soft: false }] },
    { ...frozenJob('bare'), run: program('x.sh') },
    { ...frozenJob('play'), run: program('x.yaml'), nodeset: sized(nodeset('a', 'c')) },
    { ...frozenJob('last'), dependencies: [{ name: 'play', soft: true }] },
  ];
  const exported = [{ key: 'bare', paused: false }, { key: 'play', paused: true }, { key: 'last' }];
  assert.deepEqual(importedNodes({ jobs, failFast: false, warnings: [] }, exported), [
    { nodesets: [['a'], ['b', 'b']], stays: false },
    { nodesets: [[]], stays: false },
    { nodesets: [['debian-12']], stays: false },
    { nodesets: [[{ label: 'a', size }, 'c', 'a']], stays: true },
    { nodesets: [[]], stays: false },
  ]);
});

const sizes = fc.array(fc.record({ cores: fc.nat(8), ramGb: fc.nat(16) }), { maxLength: 4 });
const sum = (all: readonly { cores: number; ramGb: number }[]) => ({
  servers: all.length,
  cores: all.reduce((total, { cores }) => total + cores, 0),
  ramGb: all.reduce((total, { ramGb }) => total + ramGb, 0),
});

test('what is had at once covers all that pause and any other job besides, and jobs or nodesets that are alike take no more than one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ nodesets: fc.array(sizes, { maxLength: 3 }), stays: fc.boolean() }), { maxLength: 6 }),
      (jobs) => {
        const most = sum(sizesAtOnce(jobs));
        const [paused, others] = [true, false].map((stays) => jobs.filter((job) => job.stays === stays));
        for (const last of [0, -1]) {
          const kept = (paused ?? []).flatMap(({ nodesets }) => nodesets.at(last) ?? []);
          for (const one of [...(others ?? []).flatMap(({ nodesets }) => nodesets), []]) {
            const had = sum([...kept, ...one]);
            for (const key of ['servers', 'cores', 'ramGb'] as const) assert.ok(most[key] >= had[key]);
          }
        }
      },
    ),
  );
  const one = [{ cores: 2, ramGb: 4 }];
  const alike = { nodesets: [one, one], stays: false };
  assert.deepEqual(sizesAtOnce([alike, alike, { nodesets: [[]], stays: false }]), one);
  assert.deepEqual(sizesAtOnce([{ ...alike, stays: true }]), one);
  assert.deepEqual(sizesAtOnce([]), []);
});
