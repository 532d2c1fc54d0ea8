import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstallStage } from '../../../activities/install/install-stage.ts';
import type { PackageReport } from '../../../activities/install/steps.ts';
import { createPublishStage } from '../../../activities/publish/publish-stage.ts';
import { makePackage } from '../repository/packages.ts';
import { leasing, readText, stageContext, stageInput, stageWorld, storeBuild } from './stage.ts';

const control = `
Tests: reboots
Depends: alpha
Restrictions: needs-reboot

Test-Command: test -e /usr/share/beta/data
Depends: alpha
Features: test-name=recommended
Restrictions: needs-recommends

Tests: machine
Depends: alpha
Restrictions: isolation-machine

Tests: now-and-then
Depends: alpha
Restrictions: flaky

Tests: nothing
Depends: alpha
Restrictions: skippable

Tests: needs-more
Depends: alpha, not-to-be-found
Restrictions: skip-not-installable

Tests: fails
Depends: alpha
`;

/** Is started three times in all, and keeps what it has written. */
const reboots = `#!/bin/sh
echo "started, marked $AUTOPKGTEST_REBOOT_MARK"
case $AUTOPKGTEST_REBOOT_MARK in
  '') echo kept > "$AUTOPKGTEST_TMP/state"; (sleep 3600 &); /tmp/autopkgtest-reboot one; exit 9 ;;
  one) /tmp/autopkgtest-reboot 'the second'; exit 9 ;;
  *) ! pgrep -f 3600 && test "$AUTOPKGTEST_REBOOT_MARK" = 'the second' && test "$(cat "$AUTOPKGTEST_TMP/state")" = kept ;;
esac
`;

test('tests of a source are run as autopkgtest does, and what is not run is listed with the reason', async (t) => {
  const world = await stageWorld(t);
  const files = [
    await makePackage('deb', world.directory, {
      name: 'alpha',
      version: '1-1',
      fields: { Recommends: 'beta | omega' },
    }),
    await makePackage('deb', world.directory, { name: 'beta', version: '1-1' }),
  ];
  const built = await storeBuild(world, 'deb', files);
  const published = await createPublishStage(world)(stageInput('deb', { parents: [built] }), await stageContext(t));
  const tests = join(world.directory, 'tree/debian/tests');
  await mkdir(tests, { recursive: true });
  const fails = '#!/bin/sh\necho no luck >&2\nexit 3\n';
  const texts = { control, reboots, machine: fails, 'now-and-then': fails, nothing: '#!/bin/sh\nexit 77\n', fails };
  for (const [name, text] of Object.entries({ ...texts, 'needs-more': fails }))
    await writeFile(join(tests, name), text);
  const sources = (_: unknown, directory: string) => cp(join(world.directory, 'tree'), directory, { recursive: true });
  const stage = leasing(createInstallStage({ ...world, released: async () => [], sources }));
  const context = await stageContext(t);
  const result = await stage(stageInput('deb', { parents: published.artifacts }), context);
  const said = context.said();
  assert.equal(result.result, 'FAILURE', said);
  assert.match(result.summary, /^alpha 1-1: exercise: the test fails ended with 3: no luck$/);
  const { packages } = JSON.parse(await readText(world, result, 'install.json')) as {
    readonly packages: readonly PackageReport[];
  };
  const tried = packages[0]?.steps.find(({ step }) => step === 'exercise')?.tests ?? [];
  assert.deepEqual(
    tried.map(({ name, problem, skipped }) => [name, problem ?? skipped ?? 'passed']),
    [
      ['reboots', 'passed'],
      ['recommended', 'passed'],
      ['machine', 'wants a machine of its own (isolation-machine), not a container'],
      ['now-and-then', 'flaky: the test now-and-then ended with 3: no luck'],
      ['nothing', 'it has found nothing to test here'],
      ['needs-more', 'the test needs-more needs not-to-be-found: not to be had'],
      ['fails', 'the test fails ended with 3: no luck'],
    ],
    said,
  );
  assert.match(said, /^started, marked \n(.*\n)*started, marked one\n(.*\n)*started, marked the second$/m);
  const tap = await readText(world, result, 'tests.tap');
  assert.match(tap, /^ok \d+ - install alpha 1-1: exercise: machine # SKIP wants a machine of its own/m);
});
