import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { stringify } from 'yaml';
import { fetchTree } from '../../../activities/git/fetch-tree.ts';
import { must } from '../../../activities/process/run.ts';
import { createPublishStage } from '../../../activities/publish/publish-stage.ts';
import { createTestStage } from '../../../activities/test-service/test-stage.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import type { TestTask } from '../../../pipelines/test-service/request.ts';
import type { TestResult } from '../../../pipelines/test-service/result.ts';
import { sharedObject } from '../install/shared-object.ts';
import { leasing, stageContext, stageInput, stageWorld, storeBuild } from '../install/stage.ts';
import { makePackage, type Sample, temporary } from '../repository/packages.ts';
import { serve } from '../review/http-backend.ts';

const program = { '/usr/bin/alpha': '#!/bin/sh\nexit 0\n' };

/** Publishes packages, and has one of them tested from there. */
async function tryOut(t: TestContext, format: PackageFormat, given: Wish) {
  const world = await stageWorld(t);
  const files = await Promise.all(given.samples.map((sample) => makePackage(format, world.directory, sample)));
  const built = await storeBuild(world, format, files);
  const published = await createPublishStage(world)(stageInput(format, { parents: [built] }), await stageContext(t));
  const url = published.artifacts[0]?.url ?? assert.fail(published.summary);
  await given.prepare?.(join(world.root, url.split('/repositories/test/')[1] ?? ''));
  const platform = format === 'deb' ? 'debian-12' : 'rpm-debian-12';
  const task: TestTask = {
    ...{
      id: 'bs-7',
      platform,
      package: 'alpha',
      repositories: [{ name: 'repo-0', url: new URL(given.path ?? '', url).href }],
    },
    ...given.task,
  };
  const begun: string[] = [];
  const stop = new AbortController();
  const stage = leasing(
    createTestStage({
      ...{ ...world, reach: async (address) => address, fetchTree },
      begun: async ({ tenant, task: id }, name) => {
        begun.push(`${tenant} ${id} ${name}`);
        if (name === given.stopAt) stop.abort(new Error('cancelled'));
      },
    }),
  );
  const context = { ...(await stageContext(t)), signal: stop.signal };
  const result = await stage(stageInput(format, { stage: 'test', vars: { task } }), context);
  const read = async (name: string) => {
    const at = result.artifacts.find((one) => one.name === name)?.url ?? assert.fail(`no ${name}`);
    return world.store.read(`sha256:${/[0-9a-f]{64}/.exec(at)?.[0]}`);
  };
  const all = JSON.parse(String(await read('result.json'))) as TestResult;
  return { result, all, begun, read };
}

interface Wish {
  readonly samples: readonly Sample[];
  readonly task?: Partial<TestTask>;
  readonly stopAt?: string;
  /** Of the repository, in the place of the published one's. */
  readonly path?: string;
  /** Does something with the repository before it is used. */
  readonly prepare?: (directory: string) => Promise<void>;
}

const good = [
  { name: 'alpha', version: '1.0-1', files: program, requires: ['beta'] },
  { name: 'beta', version: '2.0-1' },
];
const stages = ['start_environment', 'initial_provision', 'system_info', 'install_package'].concat([
  'package_integrity_tests',
  'uninstall_package',
]);

for (const format of ['deb', 'rpm'] as const) {
  describe(`testing ${format} packages by request`, () => {
    test('A-013 A-056 A-057 A-059 A-070: each stage runs, and has its record, its times and its log', async (t) => {
      const { result, all, begun, read } = await tryOut(t, format, { samples: good, task: { version: '1.0-1' } });
      assert.equal(result.summary, 'alpha passed');
      assert.deepEqual(Object.keys(all.result), stages);
      assert.deepEqual(
        begun,
        stages.map((stage) => `main bs-7 ${stage}`),
      );
      for (const stage of stages) {
        const { start_ts: start, finish_ts: finish, delta } = all.stats[stage] ?? assert.fail(stage);
        assert.ok(Math.abs(finish - start - delta) < 0.001 && delta >= 0, stage);
        assert.equal(all.result[stage]?.exit_code, 0, stage);
        assert.equal(all.summary[stage]?.success, true, stage);
      }
      const info = all.result.system_info?.stdout ?? '';
      for (const asked of ['# lsblk', '# df -h', '# uname -a', '# ip a', '# uptime']) assert.ok(info.includes(asked));
      assert.match(info, format === 'deb' ? /sources\.list[\s\S]*deb \[trusted=yes\] http/ : /baseurl=http/);
      // What it takes to see that nothing was left behind is no output of the stage.
      assert.ok((all.result.uninstall_package?.stdout.length ?? 0) < 5_000);
      assert.match(String(gunzipSync(await read('install_package_bs-7.log.gz'))), /alpha/);
    });

    test('A-069: an unsigned repository is taken, and an older version than there is elsewhere in it', async (t) => {
      const two = ['2.0-1', '1.0-1'].map((version) => ({ name: 'alpha', version, files: program }));
      const { result, all } = await tryOut(t, format, { samples: two, task: { version: '0:1.0-1' } });
      assert.equal(result.summary, 'alpha passed');
      assert.match(all.result.install_package?.stdout ?? '', /1\.0-1/);
    });

    test('A-065: what is missing of a package is found, and it is removed all the same', async (t) => {
      const broken = { name: 'alpha', version: '1.0-1', files: program, after: 'rm /usr/bin/alpha' };
      const { result, all } = await tryOut(t, format, { samples: [broken] });
      assert.equal(result.result, 'FAILURE');
      assert.match(result.summary, /^package_integrity_tests: .*\/usr\/bin\/alpha/);
      assert.equal(all.summary.package_integrity_tests?.success, false);
      assert.equal(all.summary.uninstall_package?.success, true);
    });

    if (format === 'deb')
      test('A-065: a program that looks for libraries where it is started is found', async (t) => {
        const files = {
          '/usr/lib/alpha/good.so': sharedObject('$ORIGIN/../x'),
          '/usr/lib/alpha/bad.so': sharedObject('/x:'),
        };
        const { result } = await tryOut(t, format, { samples: [{ name: 'alpha', version: '1.0-1', files }] });
        assert.match(
          result.summary,
          /^package_integrity_tests: \/usr\/lib\/alpha\/bad\.so looks for .* RPATH is \/x:$/,
        );
      });

    test('A-058: what cannot be installed has its exit code, and its words on the two outputs', async (t) => {
      const { result, all } = await tryOut(t, format, {
        samples: [{ name: 'alpha', version: '1.0-1', requires: ['nowhere-to-be-found'] }],
      });
      assert.match(result.summary, /^install_package: .*nowhere-to-be-found/);
      const { exit_code: code, stdout, stderr } = all.result.install_package ?? assert.fail('no record');
      assert.ok(code !== undefined && code > 0 && stdout !== '' && stderr.includes('nowhere-to-be-found'));
      assert.deepEqual(Object.keys(all.result).at(-1), 'install_package');
    });
  });
}

for (const format of ['deb', 'rpm'] as const) {
  test(`A-035: a repository that is not there is the request’s own fault (${format})`, async (t) => {
    const { result } = await tryOut(t, format, { samples: good, path: '/nowhere/' });
    assert.match(result.summary, /^initial_provision: a repository cannot be read: .*\/nowhere/);
  });

  test(`A-062: a server that is away is no fault of the package (${format})`, async (t) => {
    const away = [{ name: 'repo-0', url: 'http://127.0.0.1:9/debian/' }];
    const tried = tryOut(t, format, { samples: good, task: { repositories: away } });
    await assert.rejects(tried, /^Error: a repository cannot be read: .*127\.0\.0\.1/);
  });
}

test('A-061: before each stage it is looked whether the task is still wanted', async (t) => {
  const stopped = tryOut(t, 'deb', { samples: good, stopAt: 'system_info' });
  await assert.rejects(stopped, /cancelled/);
});

/** Makes a repository one of modules: each version of `alpha` is of a stream of its own. */
async function inStreams(directory: string): Promise<void> {
  const documents = ['1', '2'].map((stream) => ({
    document: 'modulemd',
    version: 2,
    data: {
      ...{ name: 'alpha', stream, version: 1, context: 'c0ffee00', arch: 'noarch' },
      ...{ summary: 'a', description: 'a', license: { module: ['MIT'] } },
      artifacts: { rpms: [`alpha-0:${stream}.0-1.noarch`] },
    },
  }));
  const file = join(directory, 'modules.yaml');
  await writeFile(file, documents.map((one) => `---\n${stringify(one)}...\n`).join(''));
  await must('modifyrepo_c', ['--mdtype=modules', file, join(directory, 'repodata')]);
}

test('A-052: of a module the stream that a request names is installed; one that is not there is said', async (t) => {
  const samples = ['1.0-1', '2.0-1'].map((version) => ({ name: 'alpha', version, files: program }));
  const tryStream = (stream: string) =>
    tryOut(t, 'rpm', { samples, prepare: inStreams, task: { module: { name: 'alpha', stream } } });
  const { result, all } = await tryStream('1');
  assert.equal(result.summary, 'alpha passed');
  assert.match(all.result.install_package?.stdout ?? '', /alpha-1\.0-1/);
  const none = await tryStream('9');
  const why = 'missing groups or modules: alpha:9';
  assert.equal(none.result.summary, `initial_provision: the module alpha:9 cannot be enabled: ${why}`);
});

/** A Git repository of tests on a web server. @returns its URL */
async function testsOn(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporary(t);
  const desk = join(root, 'desk');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(desk, path)), { recursive: true });
    await writeFile(join(desk, path), text);
  }
  const git = (...args: string[]) => must('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]);
  await git('init', '--quiet', '--initial-branch=master', desk);
  await git('-C', desk, 'add', '.');
  await git('-C', desk, 'commit', '--quiet', '--message=tests');
  await git('clone', '--quiet', '--bare', desk, join(root, 'git', 'tests.git'));
  return `${await serve(t, join(root, 'git'), undefined)}/tests.git`;
}

for (const format of ['deb', 'rpm'] as const) {
  test(`A-058 A-064 A-066 A-067: tests of others run on ${format} in order, each with the whole package, and TAP has the last word`, async (t) => {
    const url = await testsOn(t, {
      'tests/0_init.sh': 'echo ready > /tmp/ready',
      'tests/excluded.sh': 'touch /tmp/was-here',
      'tests/again.sh': '(sleep 4321 > /dev/null 2>&1 &) ; echo before > /var/before; echo ">>>VMRESTART<<<"',
      'tests/broken.sh': 'rm /usr/bin/alpha; exit 3',
      'tests/later.sh':
        'set -e; test ! -e /tmp/was-here; cat /var/before; ! grep -qs 4321 /proc/[0-9]*/cmdline; cat /tmp/ready; test -x /usr/bin/alpha; echo "$COLOUR" >&2',
      'tests/tap': '#!/bin/sh\necho 1..1; echo "not ok 1 # todo one day"; exit 1\n',
      'elsewhere/never.sh': 'exit 1',
    });
    const tests = [{ url, ref: 'master', directory: 'tests', only: [] }];
    const { result, all } = await tryOut(t, format, {
      samples: good,
      task: { tests, environment: { COLOUR: 'blue' }, excluded: ['excluded.sh', 'unknown'] },
    });
    const own = Object.keys(all.result).filter((stage) => stage.startsWith('third_party_'));
    const names = ['fetch_0', '0_init.sh', 'again.sh', 'broken.sh', 'later.sh', 'tap'];
    assert.deepEqual(
      own,
      names.map((name) => `third_party_${name}`),
    );
    const wellDone = own.map((stage) => all.summary[stage]?.success);
    assert.deepEqual(wellDone, [true, true, true, false, true, true]);
    assert.equal(all.result['third_party_broken.sh']?.exit_code, 3);
    assert.match(all.result['third_party_later.sh']?.stdout ?? '', /before\n.*ready/s);
    assert.match(all.result['third_party_later.sh']?.stderr ?? '', /blue/);
    assert.deepEqual(all.skipped, ['excluded.sh']);
    assert.match(result.summary, /^third_party_broken\.sh: it ended with 3$/);
  });
}

test('A-066: tests that cannot be fetched are tried five times, and are a failure', async (t) => {
  const tests = [{ url: 'http://127.0.0.1:9/tests.git', ref: 'master', directory: '', only: [] }];
  const { result, all } = await tryOut(t, 'deb', { samples: good, task: { tests } });
  assert.match(result.summary, /^third_party_fetch_0: the tests cannot be fetched: /);
  assert.equal(all.summary.uninstall_package?.success, true);
  assert.ok((all.stats.third_party_fetch_0?.delta ?? 0) >= 8);
});

test('A-052 A-066: files of one name each have a result, a misspelt test is a failure, and so is what is not there', async (t) => {
  const [one, two] = await Promise.all([
    testsOn(t, { 'p/a/run.sh': 'exit 3', 'p/b/run.sh': 'exit 0', 'good.sh': 'exit 0' }),
    testsOn(t, { 'good.sh': 'exit 4' }),
  ]);
  const source = { ref: 'master', directory: '', only: [] };
  const tests = [
    { ...source, url: one },
    { ...source, url: two },
  ].concat([
    { ...source, url: two, only: ['goood.sh'] as never[] },
    { ...source, url: two.replace('tests.git', 'none.git') },
  ]);
  const { result, all } = await tryOut(t, 'deb', { samples: good, task: { tests } });
  const own = Object.entries(all.result).filter(([stage]) => stage.startsWith('third_party_'));
  const codes = own.map(([stage, { exit_code: code }]) => `${stage.slice('third_party_'.length)} ${code}`);
  const first = ['fetch_0 0', 'good.sh 0', 'p/a/run.sh 3', 'p/b/run.sh 0', 'fetch_1 0', '1_good.sh 4'];
  assert.deepEqual(codes, [...first, 'fetch_2 1', 'fetch_3 1']);
  assert.equal(all.result.third_party_fetch_2?.stderr, 'there is no test goood.sh; there are: good.sh\n');
  assert.match(all.result.third_party_fetch_3?.stderr ?? '', /^the tests cannot be fetched: .* not found\n$/);
  assert.ok((all.stats.third_party_fetch_3?.delta ?? 99) < 6);
  assert.match(result.summary, /^third_party_p\/a\/run\.sh: it ended with 3$/);
});

test('A-068: what the system cannot be without is not removed', async (t) => {
  const { result, all } = await tryOut(t, 'deb', {
    samples: [{ name: 'almalinux-release', version: '1.0-1', files: program }],
    task: { package: 'almalinux-release' },
  });
  assert.equal(result.result, 'SUCCESS', result.summary);
  assert.deepEqual(all.result.uninstall_package, { exit_code: 0, stdout: '', stderr: '' });
});
