import assert from 'node:assert/strict';
import { access, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createInstallStage } from '../../../activities/install/install-stage.ts';
import { createPublishStage, removeTestRepository } from '../../../activities/publish/publish-stage.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { makePackage, type Sample } from '../repository/packages.ts';
import { leasing, stageContext, stageInput, stageWorld, storeBuild } from './stage.ts';

/** Builds, publishes, installs; `smoke` is the project's own script. */
async function tryOut(t: TestContext, format: PackageFormat, given: Pick<Row, 'samples' | 'smoke' | 'tests' | 'vars'>) {
  const world = await stageWorld(t);
  const files = await Promise.all(given.samples.map((sample) => makePackage(format, world.directory, sample)));
  const built = await storeBuild(world, format, files);
  const published = await createPublishStage(world)(stageInput(format, { parents: [built] }), await stageContext(t));
  assert.equal(published.result, 'SUCCESS', published.summary);
  const tree = join(world.directory, 'tree');
  await mkdir(join(tree, 'sluice'), { recursive: true });
  if (given.smoke !== undefined) await writeFile(join(tree, 'sluice/smoke.sh'), given.smoke);
  await mkdir(join(tree, 'debian/tests'), { recursive: true });
  for (const [name, text] of Object.entries(given.tests ?? {})) await writeFile(join(tree, 'debian/tests', name), text);
  const stage = leasing(
    createInstallStage({
      ...world,
      released: () => Promise.resolve([]),
      sources: (_, directory) => cp(tree, directory, { recursive: true }),
    }),
  );
  const context = await stageContext(t);
  const vars = { ...given.vars };
  const result = await stage(stageInput(format, { parents: published.artifacts, vars }), context);
  return { world, published, result, said: context.said() };
}

const program = (text: string) => ({ '/usr/bin/alpha': `#!/bin/sh\n${text}\n` });

interface Row {
  readonly says: string;
  /** Default: both. What the project or the source brings is run by code that knows of no format. */
  readonly formats?: readonly PackageFormat[];
  readonly samples: Sample[];
  readonly smoke?: string;
  /** Files in `debian/tests`. */
  readonly tests?: Readonly<Record<string, string>>;
  readonly vars?: object;
  readonly result: 'SUCCESS' | 'FAILURE';
  readonly summary: RegExp;
}

const rows: readonly Row[] = [
  {
    says: 'good packages are installed, exercised and removed, one needing the other',
    samples: [
      { name: 'alpha', version: '1:1.0-1', files: program('exit 0') },
      { name: 'beta', version: '2.0-1', requires: ['alpha'] },
    ],
    result: 'SUCCESS',
    summary: /^installed, exercised and removed: alpha, beta$/,
  },
  {
    says: 'a program that crashes is named with its signal',
    samples: [{ name: 'alpha', version: '1.0-1', files: program('[ "$1" = --version ] || kill -SEGV $$') }],
    result: 'FAILURE',
    summary: /alpha 1\.0-1: exercise: \/usr\/bin\/alpha --help was killed by signal 11/,
  },
  {
    says: 'a smoke test that fails is shown with its last words',
    formats: ['deb'],
    samples: [{ name: 'alpha', version: '1.0-1' }],
    smoke: '#!/bin/sh\nls /sys/class/net | grep eth >&2 && exit 4\necho no such luck >&2\nexit 3\n',
    result: 'FAILURE',
    summary: /exercise: the smoke test ended with 3: no such luck/,
  },
  {
    says: 'a test of the source finds what is beside it, need not be executable, and keeps no package by naming it',
    samples: [
      { name: 'alpha', version: '1.0-1', files: program('echo forty-two') },
      { name: 'beta', version: '1.0-1', requires: ['alpha'] },
    ],
    tests: {
      control: 'Tests: answers\nDepends: @\n',
      answers: '#!/bin/sh\ntest "$(alpha)" = "$(cat "$0.expected")" && test -d debian/tests\n',
      'answers.expected': 'forty-two\n',
    },
    result: 'SUCCESS',
    summary: /^installed, exercised and removed: alpha, beta$/,
  },
  {
    says: 'a test of the source that fails is named',
    formats: ['rpm'],
    samples: [{ name: 'alpha', version: '1.0-1', files: program('echo forty-one') }],
    tests: {
      control: 'Tests: answers\nDepends: alpha\n',
      answers: '#!/bin/sh\ntest "$(alpha)" = "$(cat "$0.expected")" || { echo wrong >&2; exit 1; }\n',
      'answers.expected': 'forty-two\n',
    },
    result: 'FAILURE',
    summary: /exercise: the test answers ended with 1: wrong/,
  },
  {
    says: 'what cannot be installed is named with what it needs',
    samples: [{ name: 'alpha', version: '1.0-1', requires: ['nowhere-to-be-found'] }],
    result: 'FAILURE',
    summary: /alpha 1\.0-1: install: .*nowhere-to-be-found/,
  },
  {
    says: 'what a package leaves behind is named',
    samples: [{ name: 'alpha', version: '1.0-1', after: 'mkdir -p /opt/litter; echo x > /opt/litter/bin' }],
    result: 'FAILURE',
    summary: /alpha 1\.0-1: remove: leaves \/opt\/litter/,
  },
  {
    says: 'a maintainer script that hangs is killed and named',
    samples: [{ name: 'alpha', version: '1.0-1', after: 'sleep 600' }],
    vars: { step_timeout: 30 },
    result: 'FAILURE',
    summary: /alpha 1\.0-1: install: (postinst|scriptlet) of alpha\S* did not end within 30 s/,
  },
];

for (const format of ['deb', 'rpm'] as const) {
  describe(`installing ${format} packages`, () => {
    for (const { says, formats = [format], result, summary, ...given } of rows) {
      if (!formats.includes(format)) continue;
      test(says, async (t) => {
        const outcome = await tryOut(t, format, given);
        assert.equal(outcome.result.result, result, `${outcome.result.summary}\n${outcome.said}`);
        assert.match(outcome.result.summary, summary, outcome.said);
        assert.deepEqual(
          outcome.result.artifacts.map((one) => one.name),
          ['junit.xml', 'tests.tap', 'install.json', 'system.txt'],
        );
      });
    }
  });
}

test('a test repository is made once, and goes when it is removed', async (t) => {
  const world = await stageWorld(t);
  const built = await storeBuild(world, 'deb', [
    await makePackage('deb', world.directory, { name: 'alpha', version: '1-1' }),
  ]);
  const input = stageInput('deb', { parents: [built] });
  const stage = createPublishStage(world);
  const first = await stage(input, await stageContext(t));
  assert.deepEqual(await stage(input, await stageContext(t)), first);
  const url = first.artifacts[0]?.url ?? '';
  assert.match(url, /\/repositories\/test\/i1234-1-[a-z0-9-]+-deb\/$/);
  const release = await fetch(`${url}dists/bookworm/Release`);
  assert.match(await release.text(), /^Origin: Sluice test$/m);
  await removeTestRepository(world.trees, url);
  await removeTestRepository(world.trees, url);
  await assert.rejects(access(join(world.root, url.split('/').at(-2) ?? '')));
  await assert.rejects(removeTestRepository(world.trees, 'http://x/repositories/test/../../etc/'), /names no test/);
});

test('one job publishes what was built for two platforms: a repository for each', async (t) => {
  const world = await stageWorld(t);
  const builds = [];
  for (const platform of ['debian-12', 'debian-13']) {
    const folder = join(world.directory, platform);
    await mkdir(folder);
    const about = { name: 'alpha', version: '1-1', files: { '/usr/share/alpha/on': platform } };
    const built = await storeBuild(world, 'deb', [await makePackage('deb', folder, about)]);
    builds.push({ ...built, metadata: { ...built.metadata, platform } });
  }
  const stage = createPublishStage({ ...world, codename: (label) => `on-${label}` });
  const { result, artifacts } = await stage(stageInput('deb', { parents: builds }), await stageContext(t));
  assert.equal(result, 'SUCCESS');
  assert.deepEqual(
    artifacts.map(({ name, metadata }) => [name, metadata?.codename]),
    [
      ['test-repository-deb', 'on-debian-12'],
      ['test-repository-deb-2', 'on-debian-13'],
    ],
  );
  const lists = artifacts.map(async ({ url, metadata }) =>
    (await fetch(`${url}dists/${metadata?.codename}/main/binary-amd64/Packages`)).text(),
  );
  const [one, other] = await Promise.all(lists);
  assert.match(one ?? '', /^Package: alpha$/m);
  assert.notEqual(one, other);
});
