import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ReleaseRecord } from '../../../activities/report/types.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import type { ReleaseRules } from '../../../pipelines/model/release-line.ts';
import { carryOut, type PlanWorld, planWorld } from './plan.ts';
import { build, inputFor, merged, publish, releaseWorld } from './world.ts';

const rules: ReleaseRules = { codename: 'bookworm', lines: [] };

/** Merges something, and shows at once what was built of it. */
async function shown(world: PlanWorld, version: string, more: Partial<ReleaseRecord> = {}): Promise<void> {
  const source = await merged(world, `${version}\n`);
  const manifest = await build(world, { source, sample: { version } });
  await publish(world, inputFor(manifest, source), `r-${version}`);
  const { project, branch, commit, tree } = source;
  const workflow = `release/main/debian-12/${commit} on main`;
  const packages = [{ format: 'deb', name: 'alpha', version, arch: 'all', digest: '' }];
  const of = { tenant: 'main', project, branch, commit, tree, patchset: 1, packages, origin: 'promoted' } as const;
  world.releases.set(`${workflow}/deb`, {
    ...{ id: `${workflow}/deb`, workflow, change: `git:${version}`, state: 'published', summary: '' },
    ...{ ...of, repositories: [{ format: 'deb', name: 'deb', url: '' }], startTime: Date.now(), endTime: Date.now() },
    ...more,
  });
}

const versions = async (world: PlanWorld) =>
  (await repositoryFormats.deb.list(join(world.released, 'deb'))).map(({ version }) => version).sort();

test('what was shown at once is taken back by its change: a newer state without it, signed, and recorded', async (t) => {
  const world = planWorld(await releaseWorld(t), rules);
  await mkdir(world.released, { recursive: true });
  await shown(world, '1.0-1');
  await shown(world, '1.1-1');
  const looked = await world.book.lookAtChange({ change: 'git:1.1-1', lines: [] });
  assert.deepEqual('states' in looked && looked.states.map(({ repository, remove }) => [repository, remove]), [
    ['deb', ['["alpha","1.1-1","all"]']],
  ]);
  assert.equal(world.plans.size, 0, 'to look leaves nothing');
  const made = await world.book.makeReleased('ada', { change: 'git:1.1-1', lines: ['deb'] });
  assert.ok('id' in made);
  assert.deepEqual([made.id, made.state], ['back-git-1.1-1-1', 'published']);
  assert.deepEqual(
    made.builds.map(({ repository, platform, build: of }) => [repository, platform, of]),
    [['deb', 'debian-12', undefined]],
  );
  assert.deepEqual(await carryOut(world, made.id, 'revert'), { ok: true, summary: 'took back lib/alpha 1.1-1' });
  assert.deepEqual(await versions(world), ['1.0-1']);
  const { problems } = await checkRepository(repositoryFormats.deb, { tree: join(world.released, 'deb'), others: [] });
  assert.deepEqual(problems, []);
  const states = [...world.releases.values()].map(({ change, state, summary }) => [change, state, summary]);
  assert.deepEqual(states, [
    ['git:1.0-1', 'published', ''],
    ['git:1.1-1', 'reverted', 'alpha 1.1-1 taken back by plan back-git-1.1-1-1'],
  ]);
  assert.equal(world.plans.get(made.id)?.state, 'reverted');
  assert.deepEqual(await world.book.makeReleased('ada', { change: 'git:1.1-1', lines: [] }), {
    refused: 'nothing of git:1.1-1 is released',
  });
});

test('a plan of which nothing is shown any more was taken back, by whichever plan', async (t) => {
  const world = planWorld(await releaseWorld(t), rules);
  await mkdir(world.released, { recursive: true });
  for (const version of ['1.0-1', '1.1-1']) await shown(world, version);
  const [one, two] = ['git:1.0-1', 'git:1.1-1'];
  const builds = [];
  for (const change of [one, two]) {
    const made = await world.book.makeReleased('ada', { change, lines: [] });
    assert.ok('id' in made);
    builds.push(...made.builds);
    world.plans.delete(made.id);
  }
  const plan = { tenant: 'main', summary: '', deeds: [], startTime: 1, endTime: 2, state: 'published' } as const;
  world.plans.set('q4', { ...plan, id: 'q4', builds });
  const states = [];
  for (const change of [one, two]) {
    const made = await world.book.makeReleased('ada', { change, lines: [] });
    assert.ok('id' in made);
    assert.equal((await carryOut(world, made.id, 'revert')).ok, true);
    states.push(world.plans.get('q4')?.state);
  }
  assert.deepEqual(states, ['published', 'reverted'], 'the other release of the plan was shown still');
  assert.match(world.plans.get('q4')?.summary ?? '', /^lib\/alpha 1\.0-1, lib\/alpha 1\.1-1 taken back by plan back-/);
});

test('only what is released there is taken back, and not what another release has put there, too', async (t) => {
  const world = planWorld(await releaseWorld(t), rules);
  await mkdir(world.released, { recursive: true });
  await shown(world, '1.0-1');
  assert.deepEqual(await world.book.makeReleased('ada', { change: 'git:1.0-1', lines: ['rpm'] }), {
    refused: 'nothing of git:1.0-1 is released in rpm: it is in deb',
  });
  const [first] = world.releases.values();
  assert.ok(first);
  world.releases.set('again', { ...first, id: 'again', change: 'git:9' });
  const why = await world.book.makeReleased('ada', { change: 'git:9', lines: [] });
  assert.match('refused' in why ? why.refused : '', /^nothing is known to be there of git:9 alone/);
  assert.equal(world.plans.size, 0);
});
