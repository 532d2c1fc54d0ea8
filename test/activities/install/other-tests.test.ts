import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstallStage } from '../../../activities/install/install-stage.ts';
import type { PackageReport } from '../../../activities/install/steps.ts';
import { createPublishStage } from '../../../activities/publish/publish-stage.ts';
import { makePackage } from '../repository/packages.ts';
import { leasing, readText, stageContext, stageInput, stageWorld, storeBuild } from './stage.ts';

const files = {
  'alpha/0_init.sh': 'touch /ready\n',
  'alpha/answers.sh': 'test -e /ready && test "$(alpha)" = "$(cat expected)"\n',
  'alpha/expected.txt': '',
  'alpha/expected': 'forty-two\n',
  'alpha/tap.sh': 'printf "1..2\\nok 1\\nnot ok 2 - the second\\n"\n',
  'alpha/skip.sh': 'printf "1..1\\nnot ok 1 - later # SKIP\\n"; exit 1\n',
  'alpha/left.sh': 'exit 1\n',
  'other/none.sh': 'exit 1\n',
};

test('tests of a required project are run on each package: as the project is for the job, but those left out', async (t) => {
  const world = await stageWorld(t);
  const program = { '/usr/bin/alpha': '#!/bin/sh\necho forty-two\n' };
  const built = await storeBuild(world, 'deb', [
    await makePackage('deb', world.directory, { name: 'alpha', version: '1-1', files: program }),
  ]);
  const published = await createPublishStage(world)(stageInput('deb', { parents: [built] }), await stageContext(t));
  const asked: unknown[] = [];
  const sources = async ({ project, commit }: { readonly project: string; readonly commit: string }, to: string) => {
    asked.push(`${project} ${commit}`);
    await mkdir(to, { recursive: true });
    if (project !== 'qa/tests') return;
    for (const folder of ['alpha', 'other']) await mkdir(join(to, folder));
    for (const [path, text] of Object.entries(files)) await writeFile(join(to, path), text);
  };
  const branchTip = async (_: string, branch: string) => (branch === 'master' ? '7'.repeat(40) : null);
  const stage = leasing(createInstallStage({ ...world, released: async () => [], sources, branchTip }));
  const run = async (tests: unknown, requiredProjects = [{ project: 'qa/tests' }]) => {
    const context = await stageContext(t);
    const given = { parents: published.artifacts, vars: { tests }, requiredProjects };
    return { result: await stage(stageInput('deb', given), context), said: context.said() };
  };
  const only = ['answers.sh', 'tap.sh', 'skip.sh', 'left.sh'];
  const { result, said } = await run([{ project: 'qa/tests', directory: 'alpha', only, except: ['left.sh'] }]);
  assert.ok(asked.includes(`qa/tests ${'7'.repeat(40)}`));
  assert.match(result.summary, /^alpha 1-1: tests: the test tap\.sh says that something is not ok$/, said);
  const { packages } = JSON.parse(await readText(world, result, 'install.json')) as {
    readonly packages: readonly PackageReport[];
  };
  const tried = packages[0]?.steps.find(({ step }) => step === 'tests')?.tests ?? [];
  assert.deepEqual(
    tried.map(({ name, problem, skipped }) => [name, problem ?? skipped ?? 'passed']),
    [
      ['0_init.sh', 'passed'],
      ['answers.sh', 'passed'],
      ['left.sh', 'the job leaves it out'],
      ['skip.sh', 'passed'],
      ['tap.sh', 'the test tap.sh says that something is not ok'],
    ],
    said,
  );
  const refused = async (...given: Parameters<typeof run>) => (await run(...given)).result.summary;
  assert.match(await refused([{ project: 'qa/tests' }], []), /^vars\.tests\.0\.project: qa\/tests is not among/);
  assert.match(await refused([{ project: 'qa/tests', directory: 'none' }]), /^qa\/tests: there are no tests in none$/);
});
