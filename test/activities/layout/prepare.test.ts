import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalGit } from '../../../activities/git/local.ts';
import { repositoryPath } from '../../../activities/git/names.ts';
import { createLayouts } from '../../../activities/layout/layouts.ts';
import { createPrepare } from '../../../activities/layout/prepare.ts';
import { change } from '../../workflows/make.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';

test('what a change breaks in another project is told with that project', async (t) => {
  const root = await scratch(t);
  const files = {
    alpha: { '.zuul.yaml': '- job: {name: shared, run: shared.sh}\n- project: {check: {jobs: [shared]}}\n' },
    beta: { '.zuul.yaml': '- job: {name: heir, parent: shared}\n' },
  };
  const gated = Object.keys(files).map((name) => ({ name, connection: 'git', trusted: false, templates: [] }));
  const tips = new Map<string, string>();
  for (const [name, own] of Object.entries(files)) {
    const repo = await bareRepository(root, name);
    tips.set(name, await makeCommit(repo, { files: own }));
    await setBranch(repo, 'main', tips.get(name) ?? '');
  }
  const broken = '- job: {name: mine, parent: nowhere, run: x.sh}\n- project: {check: {jobs: [mine]}}\n';
  const repo = repositoryPath(root, 'alpha');
  const parents = [tips.get('alpha') ?? ''];
  await setBranch(repo, 'proposed', await makeCommit(repo, { files: { '.zuul.yaml': broken }, parents }));
  const git = createLocalGit(root);
  const layouts = createLayouts({ tenant: 'main', projects: () => gated, git, connections: { git: 'git' } });
  const blobs = { put: async () => ({ digest: 'sha256:0', size: 0 }), read: async () => Buffer.from('') };
  const facts = change('git:1', { project: 'alpha', ref: 'refs/heads/proposed', files: ['.zuul.yaml'] });
  const items = [{ key: '1.1', base: null, changes: [facts], ahead: [], trigger: facts.key }];
  const input = { tenant: 'main', pipeline: 'check', queue: 'q', items, graphs: {} };
  const sealer = {} as Parameters<typeof createPrepare>[0]['sealer'];
  const [prepared] = await createPrepare({ layouts, git, blobs, sealer })(input);
  const outcome = prepared && 'outcome' in prepared ? prepared.outcome : undefined;
  assert.ok(outcome?.kind === 'config-error', JSON.stringify(prepared));
  assert.match(outcome.message, /^\.zuul\.yaml:1:\d+: .*"nowhere"/m);
  assert.match(outcome.message, /^beta\/\.zuul\.yaml@main:1:\d+: .*"shared"/m);
});
