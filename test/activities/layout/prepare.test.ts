import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createLocalGit } from '../../../activities/git/local.ts';
import { repositoryPath } from '../../../activities/git/names.ts';
import { createLayouts } from '../../../activities/layout/layouts.ts';
import { createPrepare } from '../../../activities/layout/prepare.ts';
import type { StoredGraph } from '../../../workflows/contract.ts';
import { change } from '../../workflows/make.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';

/** Projects with a first commit each, and a change of `alpha` that is ready to be prepared. */
async function setup(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  proposed: Readonly<Record<string, string>>,
) {
  const root = await scratch(t);
  const gated = Object.keys(files).map((name) => ({ name, connection: 'git', trusted: false, templates: [] }));
  const tips = new Map<string, string>();
  for (const [name, configuration] of Object.entries(files)) {
    const repo = await bareRepository(root, name);
    tips.set(name, await makeCommit(repo, { files: { '.zuul.yaml': configuration } }));
    await setBranch(repo, 'main', tips.get(name) ?? '');
  }
  const repo = repositoryPath(root, 'alpha');
  const parents = [tips.get('alpha') ?? ''];
  await setBranch(repo, 'proposed', await makeCommit(repo, { files: proposed, parents }));
  const git = createLocalGit(root);
  const layouts = createLayouts({ tenant: 'main', projects: () => gated, git, connections: { git: 'git' } });
  const stored: StoredGraph[] = [];
  const put = async (text: string | Uint8Array) => {
    stored.push(JSON.parse(String(text)));
    return { digest: 'sha256:0', size: 0 };
  };
  const facts = change('git:1', { project: 'alpha', ref: 'refs/heads/proposed', files: Object.keys(proposed) });
  const items = [{ key: '1.1', base: null, changes: [facts], ahead: [], trigger: facts.key }];
  const input = { tenant: 'main', pipeline: 'check', queue: 'q', items, graphs: {} };
  const sealer = {} as Parameters<typeof createPrepare>[0]['sealer'];
  const prepare = createPrepare({ layouts, git, blobs: { put, read: async () => Buffer.from('') }, sealer });
  return { stored, prepare: () => prepare(input) };
}

test('what a change breaks in another project is told with that project', async (t) => {
  const files = {
    alpha: '- job: {name: shared, run: shared.sh}\n- project: {check: {jobs: [shared]}}\n',
    beta: '- job: {name: heir, parent: shared}\n',
  };
  const broken = '- job: {name: mine, parent: nowhere, run: x.sh}\n- project: {check: {jobs: [mine]}}\n';
  const { prepare } = await setup(t, files, { '.zuul.yaml': broken });
  const [prepared] = await prepare();
  const outcome = prepared && 'outcome' in prepared ? prepared.outcome : undefined;
  assert.ok(outcome?.kind === 'config-error', JSON.stringify(prepared));
  assert.match(outcome.message, /^\.zuul\.yaml:1:\d+: .*"nowhere"/m);
  assert.match(outcome.message, /^beta\/\.zuul\.yaml@main:1:\d+: .*"shared"/m);
});

for (const [says, key, mergeMode] of [
  ['that its project names', 'merge-mode: squash-merge, ', 'squash-merge'],
  ['of its host, where its project names none', '', undefined],
] as const) {
  test(`a change is to be merged in the mode ${says}`, async (t) => {
    const alpha = `- project: {${key}check: {jobs: [noop]}}\n`;
    const { stored, prepare } = await setup(t, { alpha }, { file: '1' });
    await prepare();
    assert.deepEqual(
      stored.map(({ changes }) => changes.map((one) => [one.id, one.mergeMode])),
      [[['git:1', mergeMode]]],
    );
  });
}
