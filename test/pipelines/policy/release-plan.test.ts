import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Candidate,
  chooseReleases,
  type PlanWish,
  repositoryChange,
  whyOutdated,
} from '../../../pipelines/policy/release-plan.ts';

function candidate(project: string, time: number, of: Partial<Candidate> = {}): Candidate {
  const version = `1.${time}`;
  return {
    ...{ release: `release/${project}/${time}`, project, branch: 'main', change: `git:${time}`, patchset: 1 },
    ...{ repository: 'deb-stable', platform: 'debian-12', build: `${project}-${time}`, state: 'waiting', time },
    taken: null,
    packages: [{ format: 'deb', name: project, version, arch: 'amd64' }],
    ...of,
  };
}

const nothing: PlanWish = { lines: [], platforms: [], projects: [], builds: [], changes: [] };
const waiting = [
  candidate('alpha', 1),
  candidate('alpha', 2),
  candidate('beta', 3, { repository: 'rpm-stable' }),
  candidate('gamma', 4, { state: 'reverted' }),
];
const apart = [
  candidate('kde/dolphin', 1),
  candidate('kde/dolphin', 2, { platform: 'debian-13', repository: 'deb-next' }),
  candidate('kde/apps/kate', 3),
  candidate('libc++', 4),
];
const narrowed: readonly [wish: Partial<PlanWish>, chosen: readonly number[] | RegExp][] = [
  [{ platforms: ['debian-13'] }, [2]],
  [{ platforms: ['debian-12', 'debian-13'] }, [1, 2, 3, 4]],
  [{ projects: ['kde/*'] }, [1, 2]],
  [{ projects: ['kde/**'] }, [1, 2, 3]],
  [{ projects: ['libc++', 'kde/apps/kate'] }, [3, 4]],
  [{ projects: ['kde/*'], platforms: ['debian-12'], lines: ['deb-stable'] }, [1]],
  [{ projects: ['kde/*', 'gnome/*'] }, /^nothing of gnome\/\* waits/],
  [{ projects: ['kde/(dolphin'] }, /^nothing of kde\/\(dolphin waits/],
];
for (const [wish, expected] of narrowed) {
  test(`a plan is narrowed by ${JSON.stringify(wish)}`, () => {
    const choice = chooseReleases(apart, { ...nothing, ...wish });
    if (expected instanceof RegExp) assert.match('refused' in choice ? choice.refused : '', expected);
    else assert.deepEqual('chosen' in choice && choice.chosen.map(({ change }) => Number(change.slice(4))), expected);
  });
}

const choices: readonly [what: string, wish: Partial<PlanWish>, chosen: readonly string[] | RegExp][] = [
  ['everything that waits, the newest of each project', {}, ['alpha-2', 'beta-3']],
  ['one line', { lines: ['rpm-stable'] }, ['beta-3']],
  ['a build that is named, though a newer one waits', { builds: ['alpha-1'] }, ['alpha-1']],
  ['a change that is named', { changes: ['git:3'] }, ['beta-3']],
  ['by name what was taken back', { builds: ['gamma-4'] }, ['gamma-4']],
  ['of two of a project that are named the newest', { builds: ['alpha-1', 'alpha-2'] }, ['alpha-2']],
  ['nothing that nobody knows', { builds: ['alpha-9'], changes: ['git:8'] }, /^nothing of alpha-9, git:8 waits/],
  ['nothing of another line', { lines: ['rpm-stable'], builds: ['alpha-1'] }, /^nothing of alpha-1 waits/],
  ['no line where nothing waits', { lines: ['deb-next'] }, /the plan would be empty/],
];
for (const [what, wish, expected] of choices) {
  test(`a plan takes ${what}`, () => {
    const choice = chooseReleases(waiting, { ...nothing, ...wish });
    if (expected instanceof RegExp) assert.match('refused' in choice ? choice.refused : '', expected);
    else assert.deepEqual('chosen' in choice && choice.chosen.map(({ build }) => build), expected);
  });
}

test('a plan is outdated once something newer of its builds has merged, or they wait no more', () => {
  const [first, second] = [candidate('alpha', 1), candidate('alpha', 20)];
  assert.equal(whyOutdated([first], [first], 10), null);
  assert.match(
    whyOutdated([first], [first, second], 10) ?? '',
    /alpha 1\.1 of git:1 was superseded by alpha 1\.20 of git:20/,
  );
  assert.equal(whyOutdated([first], [first, second], 30), null, 'whoever made the plan knew of it');
  const elsewhere = { ...second, repository: 'deb-next' };
  assert.equal(whyOutdated([first], [first, elsewhere], 10), null);
  assert.match(whyOutdated([first], [], 10) ?? '', /waits no more/);
  assert.match(whyOutdated([first], [{ ...first, build: 'again' }], 10) ?? '', /waits no more/, 'its job ran again');
  const takenBack = candidate('alpha', 1, { state: 'reverted', taken: 20 });
  assert.match(whyOutdated([first], [takenBack], 10) ?? '', /was taken back after the plan was made/);
  assert.equal(whyOutdated([first], [takenBack], 30), null, 'whoever made the plan named it');
});

test('what a repository gains names what it replaces, what it loses names what it leaves', () => {
  const of = (version: string, name = 'alpha') => ({ format: 'deb', name, version, arch: 'amd64' });
  const compare = (a: string, b: string) => Number(a) - Number(b);
  const lists = { before: [of('9'), of('10')], after: [of('9'), of('10'), of('11'), of('1', 'beta')] };
  assert.deepEqual(repositoryChange('deb', lists, compare), {
    repository: 'deb',
    gains: [
      { ...of('11'), replaces: '10' },
      { ...of('1', 'beta'), replaces: null },
    ],
    loses: [],
  });
  const back = repositoryChange('deb', { before: lists.after, after: lists.before }, compare);
  assert.deepEqual(back.loses, [
    { ...of('11'), leaves: '10' },
    { ...of('1', 'beta'), leaves: null },
  ]);
});
