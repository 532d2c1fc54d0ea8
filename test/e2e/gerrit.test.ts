import assert from 'node:assert/strict';
import { test } from 'node:test';
import { git } from '../../activities/git/git.ts';
import { done } from '../../infra/gerrit/account.ts';
import { sharedGerrit } from '../activities/review/gerrit/world.ts';
import { makeHome, openStory, people, startSluice, titled, until } from './gerrit/sluice.ts';

const own = '- project: {queue: core, check: {jobs: [noop]}, gate: {jobs: [noop]}}\n';
const broken =
  '- job: {name: broken, run: x.sh}\n- project: {queue: core, check: {jobs: [noop]}, gate: {jobs: [broken]}}\n';
const held = '- job: {name: held, run: x.sh}\n- project: {queue: core, check: {jobs: [noop]}, gate: {jobs: [held]}}\n';

const comments = [{ file: '.zuul.yaml', line: 1, message: 'this breaks it' }];
const fails = async () => ({ result: 'FAILURE' as const, summary: 'it is broken', artifacts: [], comments });

test('changes of two projects on a real Gerrit are checked, approved by REST and merged; one that fails is not', async (t) => {
  const gerrit = await sharedGerrit();
  const { read, verified, approve } = people(gerrit);
  const one = await openStory(t, gerrit, { project: 'pair-one', jobs: own });
  const two = await openStory(t, gerrit, { project: 'pair-two', jobs: own });
  const { control, streams } = await startSluice(await makeHome(t, gerrit, 'pair-*'), fails);
  await control.activities.syncReviews({ connection: 'review' });
  await until('both projects are known', async () => {
    const { projects } = await control.layout();
    return projects.byName.has('pair-one') && projects.byName.has('pair-two');
  });

  const a = await one.propose({ files: { a: '1' }, message: titled('Add a') });
  const url = `${gerrit.settings.url}/c/pair-one/+/${a.number}`;
  const b = await two.propose({ files: { b: '1' }, message: titled('Add b', `Depends-On: ${url}`) });
  const c = await two.propose({ files: { '.zuul.yaml': broken }, message: titled('Break it') });
  for (const { number } of [a, b, c]) await until(`${number} is checked`, async () => (await verified(number)) === 1);
  assert.deepEqual(streams.unheard(), []);

  for (const { number } of [b, c, a]) await approve(number);
  for (const { number } of [a, b])
    await until(`${number} is merged`, async () => (await read(number)).status === 'MERGED');
  await until('the gate says no to the third', async () => (await verified(c.number)) === -2);
  assert.equal((await read(c.number)).status, 'NEW');
  const onLines = (await done(gerrit.rest('GET', `/changes/${c.number}/comments`))) as Record<string, object[]>;
  assert.partialDeepStrictEqual(onLines, {
    '.zuul.yaml': [{ line: 1, message: 'this breaks it', unresolved: false }],
  });
  const [tipOne, tipTwo] = [await one.fetch('refs/heads/master'), await two.fetch('refs/heads/master')];
  await git(one.repo, ['merge-base', '--is-ancestor', a.commit, tipOne]);
  await git(two.repo, ['merge-base', '--is-ancestor', b.commit, tipTwo]);
  const said = (await read(b.number)).messages.map(({ message }) => message).join('\n');
  assert.match(said, /noop/);
  assert.equal(await verified(a.number), 2);
});

test('a server that was down ends where one ends that was up: pushed, approved, abandoned, restored, a branch gone', async (t) => {
  const gerrit = await sharedGerrit();
  const { read, verified, told, act, approve } = people(gerrit);
  const desk = await openStory(t, gerrit, { project: 'down-one', jobs: own });
  const branch = `/projects/${desk.project}/branches/old`;
  await done(gerrit.rest('PUT', branch, { revision: 'master' }));
  const home = await makeHome(t, gerrit, 'down-*');
  const before = await startSluice(home, fails);
  const settled = async ({ control, git }: typeof before) => {
    await control.activities.syncReviews({ connection: 'review' });
    await until('the project is known', async () => (await control.layout()).projects.byName.has(desk.project));
    await git.ensure(desk.project, []);
    return [...(await git.branches(desk.project)).keys()].sort();
  };
  assert.deepEqual(await settled(before), ['master', 'old']);
  const propose = (name: string) => desk.propose({ files: { [name]: '1' }, message: titled(`Add ${name}`) });
  const [approved, abandoned, restored] = [await propose('a'), await propose('b'), await propose('c')];
  for (const { number } of [approved, abandoned, restored])
    await until(`${number} is checked`, async () => (await verified(number)) === 1);
  await act(restored.number, 'abandon');
  const reports = async (number: number) =>
    (await read(number)).messages.filter(({ message }) => /noop/.test(message)).length;
  assert.equal(await reports(restored.number), 1);
  await before.stop();

  const pushed = await propose('d');
  await approve(approved.number);
  await act(abandoned.number, 'abandon');
  await act(restored.number, 'restore');
  await done(gerrit.rest('DELETE', branch));

  const now = await startSluice(home, fails);
  assert.deepEqual(await settled(now), ['master']);
  const isMerged = async () => (await read(approved.number)).status === 'MERGED';
  await until('what was approved is merged', isMerged, () => told(approved.number));
  await until('what was pushed is checked', async () => (await verified(pushed.number)) === 1);
  await until('what was restored is checked again', async () => (await reports(restored.number)) === 2);
  await now.control.activities.syncReviews({ connection: 'review' });
  const ends = [approved, abandoned, restored, pushed].map(async ({ number }) => [
    (await read(number)).status,
    await verified(number),
  ]);
  assert.deepEqual(await Promise.all(ends), [
    ['MERGED', 2],
    ['ABANDONED', 1],
    ['NEW', 1],
    ['NEW', 1],
  ]);
  await git(desk.repo, ['merge-base', '--is-ancestor', approved.commit, await desk.fetch('refs/heads/master')]);
});

test('a Gerrit that is killed in the middle of a gate run, and is away when it ends, merges once it is back', async (t) => {
  const gerrit = await sharedGerrit();
  const { read, verified, told, approve } = people(gerrit);
  const desk = await openStory(t, gerrit, { project: 'killed-one', jobs: held });
  const begun = Promise.withResolvers<void>();
  const free = Promise.withResolvers<void>();
  const { control } = await startSluice(await makeHome(t, gerrit, 'killed-*'), async () => {
    begun.resolve();
    await free.promise;
    return { result: 'SUCCESS', summary: 'it works', artifacts: [] };
  });
  await control.activities.syncReviews({ connection: 'review' });
  await until('the project is known', async () => (await control.layout()).projects.byName.has(desk.project));
  const { number, commit } = await desk.propose({ files: { a: '1' }, message: titled('Add a') });
  await until('it is checked', async () => (await verified(number)) === 1);
  await approve(number);
  await begun.promise;
  await gerrit.server.stop('SIGKILL');
  free.resolve();
  await gerrit.restart();
  // Its index has lost the last minutes, and finds a change by the number alone no more.
  const change = `${desk.project}~${number}`;
  const isMerged = async () => (await read(change)).status === 'MERGED';
  await until('it is merged', isMerged, () => told(change));
  await git(desk.repo, ['merge-base', '--is-ancestor', commit, await desk.fetch('refs/heads/master')]);
  const reports = async () => (await read(change)).messages.filter(({ message }) => /- held SUCCESS/.test(message));
  await until(
    'the result is told',
    async () => (await reports()).length > 0,
    () => told(change),
  );
  assert.equal(await verified(change), 2);
  await control.activities.syncReviews({ connection: 'review' });
  assert.equal((await reports()).length, 1, await told(change));
});
