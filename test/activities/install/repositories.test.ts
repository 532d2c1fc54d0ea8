import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { repositoriesFor } from '../../../activities/install/repositories.ts';
import type { Artifact } from '../../../pipelines/model/job.ts';

/** A test repository, its URL made of the platform that it was built on and a number. */
function made(name: string): Artifact {
  const platform = name.replace(/ .*$/, '');
  const format = platform.startsWith('rpm') ? 'rpm' : 'deb';
  const metadata = {
    type: 'test-repository',
    format,
    platform,
    codename: format,
    project: 'a',
    manifest: `sha256:${'0'.repeat(64)}`,
  };
  return { name, url: name, metadata: { ...metadata, packages: [] } };
}

const rows: readonly {
  readonly says: string;
  readonly on: string;
  readonly parents: readonly string[];
  readonly provided: readonly string[];
  readonly own: readonly string[];
  readonly ahead: readonly string[];
}[] = [
  {
    says: 'a project that is built for two platforms is tried on each with its own packages',
    on: 'debian-13',
    parents: ['debian-12 1', 'debian-13 1'],
    provided: ['debian-12 0', 'debian-13 0'],
    own: ['debian-13 1'],
    ahead: ['debian-13 0'],
  },
  {
    says: 'what is ahead was built for another platform alone: none of it',
    on: 'debian-13',
    parents: ['debian-13 1'],
    provided: ['debian-12 0'],
    own: ['debian-13 1'],
    ahead: [],
  },
  {
    says: 'what one platform builds is tried on another, with what is ahead of its kind',
    on: 'hardened',
    parents: ['debian-12 1'],
    provided: ['debian-12 0', 'debian-13 0'],
    own: ['debian-12 1'],
    ahead: ['debian-12 0'],
  },
  {
    says: 'packages of the other format are never offered',
    on: 'rpm-debian-13',
    parents: ['debian-12 1', 'rpm-debian-13 1'],
    provided: ['debian-12 0', 'rpm-debian-13 0', 'rpm-debian-12 0'],
    own: ['rpm-debian-13 1'],
    ahead: ['rpm-debian-13 0'],
  },
  {
    says: 'a node of the other format than the job’s own packages takes what was built on its platform',
    on: 'rpm-debian-13',
    parents: ['debian-12 1'],
    provided: ['rpm-debian-12 0', 'rpm-debian-13 0'],
    own: [],
    ahead: ['rpm-debian-13 0'],
  },
];

describe('test repositories go to machines of the platform that they were built on', () => {
  for (const { says, on, parents, provided, own, ahead } of rows) {
    test(says, () => {
      const platform = { name: on, format: on.startsWith('rpm') ? ('rpm' as const) : ('deb' as const) };
      const who = { project: 'b', change: 'git:2', patchset: 1, job: 'publish' };
      const given = { parents: parents.map(made), provided: provided.map((name) => ({ ...made(name), ...who })) };
      const found = repositoriesFor(platform, given);
      const urls = (all: typeof found.own) => all.map(({ repository }) => repository.url);
      assert.deepEqual([urls(found.own), urls(found.provided)], [own, ahead]);
    });
  }
});
