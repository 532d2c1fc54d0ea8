import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { git } from '../../../activities/git/git.ts';
import { lookUpAtHosts } from '../../../infra/compose/host-lookup.ts';
import { parseConfig } from '../../../infra/config/load.ts';
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
  const found = asked.filter((one) => {
    const [project = '', branch = ''] = one.split(' ');
    return isGated({ project, branch });
  });
  assert.deepEqual(found, [
    ...['alpha main', 'alpha stable/1', 'Alpha main', 'pkg/x main', 'pkg/wide topic', 'PKG/wide main'],
    ...['all topic', 'none main'],
  ]);
});
