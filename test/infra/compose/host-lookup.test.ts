import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { git } from '../../../activities/git/git.ts';
import type { BranchName } from '../../../activities/review/port.ts';
import { lookUpAtHosts } from '../../../infra/compose/host-lookup.ts';
import { isMergeBranch } from '../../../infra/compose/merge-branches.ts';
import { loadConfig, parseConfig } from '../../../infra/config/load.ts';
import { standalone } from '../../../infra/stack/settings.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../../activities/git/repository.ts';

const text = `
connections:
  git: {driver: git}
  review:
    {driver: gerrit, url: 'http://127.0.0.1:1', ssh: 'ssh://u@127.0.0.1:1', identity: id, knownHosts: hosts}
projects:
  own: {}
  pkg/*: {connection: review}
`;

test('the signer looks up what Sluice serves as before, and asks other hosts by itself', async (t) => {
  const directory = await scratch(t);
  await mkdir(join(directory, 'keys'));
  for (const name of ['id', 'hosts']) await writeFile(join(directory, name), '');
  const settings = parseConfig({ path: 'sluice.yaml', text, directory, env: {} });
  const lookUp = lookUpAtHosts(standalone({ ...settings, file: null, given: {} }), join(directory, 'keys'));
  assert.deepEqual([lookUp.elsewhere('own'), lookUp.elsewhere('stranger')], [null, null]);
  const asked = lookUp.elsewhere('pkg/alpha')?.({ project: 'pkg/alpha', branch: 'main', commit: '0'.repeat(40) });
  await assert.rejects(asked ?? Promise.resolve(), /^(HostAway|Error): review does not answer for pkg\/alpha: /);
});

test('S1: what is only proposed at a host is on no branch of it, whatever a release says of it', async (t) => {
  const directory = await scratch(t);
  await mkdir(join(directory, 'keys'));
  const repo = await bareRepository(join(directory, 'host'), 'alpha');
  const base = await makeCommit(repo, { files: { a: 'merged' } });
  const evil = await makeCommit(repo, { files: { a: 'proposed' }, parents: [base] });
  for (const [branch, commit] of [
    ['main', base],
    ['proposed/evil', evil],
  ] as const)
    await setBranch(repo, branch, commit);
  await git(repo, ['tag', 'v1', evil]);
  const plain = `
connections: {plain: {driver: git, url: ${join(directory, 'host')}}}
projects: {alpha: {connection: plain}}
`;
  const settings = parseConfig({ path: 'sluice.yaml', text: plain, directory, env: {} });
  const lookUp = lookUpAtHosts(standalone({ ...settings, file: null, given: {} }), join(directory, 'keys')).elsewhere(
    'alpha',
  );
  const find = async (branch: string, commit: string) => (await lookUp?.({ project: 'alpha', branch, commit }))?.commit;
  assert.equal(await find('main', base), base);
  for (const branch of ['proposed/evil', 'main', 'v1', 'tags/v1', 'refs/heads/main', 'proposed']) {
    assert.equal(await find(branch, evil), undefined, branch);
  }
  for (const branch of ['../tags/v1', '../heads/proposed/evil', 'main/../proposed/evil', './proposed/evil']) {
    await assert.rejects(find(branch, evil), { name: 'BadName' }, branch);
  }
});

test('S1: a branch that is not under the gate merges nothing, wherever its project is', async (t) => {
  const directory = await scratch(t);
  await mkdir(join(directory, 'keys'));
  const gated = `
projects:
  alpha: {branches: [main, stable/1]}
  pkg/wide: {}
  pkg/*: {branches: [main]}
  all: {}
`;
  const settings = parseConfig({ path: 'sluice.yaml', text: gated, directory, env: {} });
  const { isGated } = lookUpAtHosts(standalone({ ...settings, file: null, given: {} }), join(directory, 'keys'));
  const asked = [
    ...['alpha main', 'alpha stable/1', 'alpha topic', 'ALPHA topic', 'Alpha main', 'pkg/x main', 'pkg/x mainly'],
    ...['pkg/wide topic', 'PKG/wide main', 'pkg/Wide topic', 'all topic', 'none main'],
  ];
  const answers = await Promise.all(asked.map((one) => isGated(nameOf(one))));
  const found = asked.filter((_, position) => answers[position]);
  assert.deepEqual(found, [
    ...['alpha main', 'alpha stable/1', 'Alpha main', 'pkg/x main', 'pkg/wide topic', 'PKG/wide main'],
    ...['all topic', 'none main'],
  ]);
});

test('S1: where no branches are listed, those count that the host keeps; a renamed project is held to both names', async (t) => {
  const text = `
connections: {forge: {driver: gitea, url: 'http://127.0.0.1:1', token: {env: T}}}
projects:
  team/plain: {connection: forge}
  team/listed: {connection: forge, branches: [main, open]}
  team/old: {connection: forge}
  team/new: {connection: forge, branches: [main, next]}
  team/was: {connection: forge, branches: [main]}
`;
  const settings = parseConfig({ path: 'sluice.yaml', text, directory: await scratch(t), env: {} });
  const renamed: Readonly<Record<string, string>> = {
    'team/old': 'Team/New',
    'team/was': 'team/now',
    'team/gone': 'team/new',
  };
  const host = {
    async readStanding({ project, branch }: BranchName) {
      if (branch === 'none') return null;
      return { project: renamed[project] ?? project, kept: ['main', 'stable'].includes(branch) };
    },
  };
  const is = (one: string, by: typeof host | null = host) => isMergeBranch(() => settings.projects, nameOf(one), by);
  const yes = [
    ...['team/plain main', 'team/plain stable', 'team/listed main', 'team/listed open', 'TEAM/LISTED open'],
    ...['team/old main', 'team/old next', 'team/was main', 'team/gone next', 'team/gone main'],
  ];
  const no = [
    ...['team/plain topic', 'team/plain none', 'team/plain main2', 'team/listed stable', 'team/listed topic'],
    ...['team/listed none', 'team/old stable', 'team/old topic', 'team/was stable', 'team/gone stable', 'team/x topic'],
  ];
  for (const one of yes) assert.equal(await is(one), true, one);
  for (const one of no) assert.equal(await is(one), false, one);
  assert.deepEqual([await is('team/plain topic', null), await is('team/listed topic', null)], [true, false]);
});

test('S1: a branch of plain Git elsewhere counts when it is the one that HEAD stands for, or listed', async (t) => {
  const directory = await scratch(t);
  await mkdir(join(directory, 'keys'));
  const text = `
connections: {plain: {driver: git, url: ${join(directory, 'host')}}}
projects: {alpha: {connection: plain}, beta: {connection: plain, branches: [topic]}}
`;
  for (const project of ['alpha', 'beta']) {
    const repo = await bareRepository(join(directory, 'host'), project);
    await git(repo, ['symbolic-ref', 'HEAD', 'refs/heads/main']);
    const commit = await makeCommit(repo, { files: { a: 'a' } });
    for (const branch of ['main', 'topic', 'proposed/x']) await setBranch(repo, branch, commit);
  }
  const settings = parseConfig({ path: 'sluice.yaml', text, directory, env: {} });
  const { isGated } = lookUpAtHosts(standalone({ ...settings, file: null, given: {} }), join(directory, 'keys'));
  const asked = ['alpha main', 'alpha topic', 'alpha proposed/x', 'alpha none', 'beta main', 'beta topic'];
  const answers = await Promise.all(asked.map((one) => isGated(nameOf(one))));
  assert.deepEqual(answers, [true, false, false, false, false, true]);
});

test('S1: of a project that moved to a host unknown yet, the repository of before says nothing of what is merged', async (t) => {
  const directory = await scratch(t);
  await mkdir(join(directory, 'keys'));
  const file = join(directory, 'sluice.yaml');
  await writeFile(file, 'projects: {alpha: {}}\n');
  const lookUp = lookUpAtHosts(standalone(loadConfig({ file })), join(directory, 'keys'));
  assert.deepEqual([lookUp.elsewhere('alpha'), await lookUp.isGated(nameOf('alpha main'))], [null, true]);
  const moved =
    'connections: {git: {driver: git}, plain: {driver: git, url: /srv/git}}\nprojects: {alpha: {connection: plain}}\n';
  await writeFile(file, moved);
  const told = /^Error: alpha is of the connection plain, which this process was not started with: restart it$/;
  assert.throws(() => lookUp.elsewhere('alpha'), told);
  await assert.rejects(lookUp.isGated(nameOf('alpha main')), told);
});

function nameOf(text: string): BranchName {
  const [project = '', branch = ''] = text.split(' ');
  return { project, branch };
}
