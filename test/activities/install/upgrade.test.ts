import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createInstallStage } from '../../../activities/install/install-stage.ts';
import type { PackageReport } from '../../../activities/install/steps.ts';
import { createPublishStage } from '../../../activities/publish/publish-stage.ts';
import { parseXml } from '../../../pipelines/formats/rpm/xml.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { makePackage, type Sample } from '../repository/packages.ts';
import { leasing, readText, releasePackages, stageContext, stageInput, stageWorld, storeBuild } from './stage.ts';

/** Runs the stage on packages of which others were released. */
async function upgrade(
  t: TestContext,
  format: PackageFormat,
  { old, next }: { readonly old: readonly Sample[]; readonly next: readonly Sample[] },
) {
  const world = await stageWorld(t);
  const files = await Promise.all(next.map((sample) => makePackage(format, world.directory, sample)));
  const built = await storeBuild(world, format, files);
  const published = await createPublishStage(world)(stageInput(format, { parents: [built] }), await stageContext(t));
  const released = await releasePackages(world, format, old);
  const sources = async () => {};
  const stage = leasing(createInstallStage({ ...world, released: async () => [released], sources }));
  const context = await stageContext(t);
  const result = await stage(stageInput(format, { parents: published.artifacts }), context);
  const read = (name: string) => readText(world, result, name);
  const { packages } = JSON.parse(await read('install.json')) as { readonly packages: readonly PackageReport[] };
  return { result, read, packages, said: context.said() };
}

const about = (name: string, version: string, more: Partial<Sample> = {}): Sample => ({ name, version, ...more });
const configuration = ['/etc/alpha/kept', '/etc/alpha/lost'];
const alphaWith = (text: string) => ({
  configuration,
  files: Object.fromEntries(configuration.map((path) => [path, text])),
});
/** Ends with 1 when the package is upgraded: dpkg gives the version before, rpm the number of instances. */
const failsUpgrade = '[ "$1" != 2 ] && [ -z "$2" ]';
const taken = { '/usr/share/gamma/taken': 'by somebody' };

const old = [
  about('alpha', '1:1.0-1', alphaWith('old\n')),
  about('beta', '1.0-1'),
  about('gamma', '1.0-1', { files: taken }),
];
const next = [
  about('alpha', '1:2.0-1', { ...alphaWith('new\n'), after: 'echo > /etc/alpha/lost' }),
  about('beta', '2.0-1', { files: taken, after: failsUpgrade }),
  about('gamma', '2.0-1', { requires: ['beta'] }),
];

for (const format of ['deb', 'rpm'] as const) {
  test(`${format} packages are upgraded from what was released, and what is wrong with that is said`, async (t) => {
    const { result, read, packages, said } = await upgrade(t, format, { old, next });
    const steps = packages.map((one) => one.steps.map(({ step, about: of }) => `${step} ${of ?? ''}`.trim()));
    const problems = packages.map((one) =>
      one.steps.flatMap(({ step, about: of, problem }) => (problem === null ? [] : [`${step} ${of}: ${problem}`])),
    );
    const [alpha, beta, gamma] = problems.map(([first]) => first ?? '');
    const whole = ['install', 'integrity', 'exercise', 'remove'];
    const from = (text: string) => [
      `released ${text.split(' ')[0]}`,
      `upgrade from ${text}`,
      'remove after the upgrade',
    ];

    await t.test('as it came, and once more with its configuration changed, of which nothing may be lost', () => {
      const changed = '1:1.0-1 with its configuration changed';
      assert.deepEqual(steps[0], [...whole, ...from('1:1.0-1'), ...from(changed)], said);
      assert.deepEqual(problems[0], [`upgrade from ${changed}: loses what was changed in /etc/alpha/lost`], alpha);
    });
    await t.test('a maintainer script that fails in the upgrade alone', () => {
      const script = format === 'deb' ? 'installed beta package post-installation script.*' : '%post\\(beta.*';
      assert.match(beta ?? '', new RegExp(`^upgrade from 1.0-1: .*${script}exit status 1`), said);
    });
    await t.test('a file that another package takes over without saying so', () => {
      // In rpm's view it has changed hands, for both packages are in one transaction.
      const problem = format === 'deb' ? /^upgrade from 1\.0-1: .*\/usr\/share\/gamma\/taken/ : /^$/;
      assert.match(gamma ?? '', problem, said);
    });
    await t.test('the result, and what there is to read', async () => {
      assert.equal(result.result, 'FAILURE');
      assert.match(result.summary, /^alpha 1:2\.0-1: upgrade from 1:1\.0-1 with its .* \(and \d+ more\)$/);
      assert.deepEqual(packages[2]?.brought.toSorted(), ['beta 2.0-1', 'gamma 2.0-1']);
      const ran = packages[0]?.steps[0]?.commands ?? [];
      assert.ok(ran.some(({ command, code, seconds }) => / install alpha/.test(command) && code === 0 && seconds > 0));
      const [suite] = parseXml(await read('junit.xml')).children;
      const output = suite?.children[0]?.children[0]?.text ?? '';
      assert.match(output, /^\$ .* install alpha.*\n\[0\] \d+\.\d{3} s\n/m);
      assert.match(await read('tests.tap'), /^ {2}commands: \[\{"command":".* install alpha/m);
      const system = await read('system.txt');
      assert.match(system, /^VERSION_CODENAME=bookworm$/m);
      assert.match(system, format === 'deb' ? /^base-files\t\d/m : /^# rpm --query --all$/m);
    });
  });
}
