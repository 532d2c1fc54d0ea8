import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkRepository } from '../../../activities/repository/check.ts';
import { keptExtras } from '../../../activities/repository/extras.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import type { ExtraText } from '../../../activities/repository/port.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { advisories, group, stream } from '../repository/extra-samples.ts';
import { all, carryOut, leave, planned, planWorld } from './plan.ts';
import { build, merged, releaseWorld } from './world.ts';

const { rpm } = repositoryFormats;

/** Released repositories, and the steps by which the workflow gives one of them something. */
async function archive(t: TestContext) {
  const world = planWorld(await releaseWorld(t, undefined, planned));
  const release = async (format: PackageFormat, version: string) => {
    const source = await merged(world, `${version}\n`);
    await leave(world, await build(world, { format, source, sample: { version } }), source, `git:${version}`);
    const made = await world.book.make('ada', all, version);
    assert.ok('id' in made);
    assert.equal((await carryOut(world, version)).ok, true);
  };
  const give = async (repository: string, texts: readonly ExtraText[], remove: readonly ExtraText['kind'][] = []) => {
    const stored = texts.map(async ({ kind, from: name, text }) => {
      return { kind, name, digest: (await world.store.put(text)).digest };
    });
    const extras = { given: await Promise.all(stored), remove };
    const state = { repository, codename: '', format: 'rpm', builds: [], merged: [], remove: [], extras } as const;
    const staged = await world.steps.stagePlanned({ plan: `metadata-${repository}`, state });
    if (staged.outcome !== 'staged') return staged;
    const { name, before, index, notes } = staged;
    const signatures = await world.signer.signIndex({ digest: index.digest, repository });
    const of = { repository, format: 'rpm', name, before, signatures, merged: [] } as const;
    assert.deepEqual(await world.steps.finishReleased(of), { ready: true });
    const shown = await world.steps.showReleased({ states: [{ repository, name, before }] });
    return { outcome: 'shown', shown, notes };
  };
  const dir = join(world.released, 'rpm-stable');
  const kinds = async () => (await keptExtras(rpm, dir)).map(({ kind }) => kind);
  return { release, give, dir, kinds, revert: (version: string) => carryOut(world, version, 'revert') };
}

test('a released repository is given metadata that releases and reverts keep, under the signature of its index', async (t) => {
  const { release, give, dir, kinds, revert } = await archive(t);
  const given = [group('tools', 'alpha'), stream('web', '1', 'web-0:1-1.noarch'), advisories('SLU-1', 'alpha 1.1 1')];
  assert.deepEqual(await give('rpm-stable', given), { outcome: 'refused', reason: 'nothing is released there yet' });
  await release('rpm', '1.0-1');
  const done = await give('rpm-stable', given);
  assert.deepEqual(done, {
    outcome: 'shown',
    shown: ['rpm-stable'],
    notes: [
      'modules: web:1 names web-1-1.noarch, which is not in the repository',
      'updateinfo: SLU-1 names alpha-1.1-1.noarch, which is not in the repository',
    ],
  });
  assert.equal((await give('rpm-stable', given)).outcome, 'unchanged');
  await release('rpm', '1.1-1');
  assert.deepEqual(await kinds(), ['comps', 'modules', 'updateinfo']);
  assert.equal((await revert('1.1-1')).ok, true);
  assert.deepEqual(await kinds(), ['comps', 'modules', 'updateinfo']);
  await give('rpm-stable', [], ['modules']);
  assert.deepEqual(await kinds(), ['comps', 'updateinfo']);
  const { problems, checked } = await checkRepository(rpm, { tree: dir, others: [] });
  assert.deepEqual([problems, checked.indexes, checked.signers.length], [[], 5, 1]);
});

test('what cannot be read, and what APT has no place for, is refused and shows nothing', async (t) => {
  const { release, give, kinds } = await archive(t);
  await release('rpm', '1.0-1');
  const bad = { ...advisories('SLU-1'), text: '<updates>\n<update></updates>' };
  const refused = { outcome: 'refused', reason: 'updateinfo.xml:2: </updates> closes <update>' };
  assert.deepEqual(await give('rpm-stable', [group('tools'), bad]), refused);
  assert.deepEqual(await kinds(), []);
  await release('deb', '2.0-1');
  const { reason } = (await give('deb-stable', [group('tools')])) as { readonly reason: string };
  assert.equal(reason, 'an APT repository has no updateinfo, comps or modules');
});
