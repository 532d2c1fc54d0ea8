import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { git } from '../../../activities/git/git.ts';
import { createLocalGit } from '../../../activities/git/local.ts';
import { repositoryPath } from '../../../activities/git/names.ts';
import { readBranch } from '../../../activities/git/refs.ts';
import { createLayouts } from '../../../activities/layout/layouts.ts';
import { createPrepare } from '../../../activities/layout/prepare.ts';
import type { Connections } from '../../../activities/layout/shipped.ts';
import type { ConnectionSettings } from '../../../activities/review/settings.ts';
import type { StoredGraph } from '../../../workflows/contract.ts';
import { change } from '../../workflows/make.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';

/** Projects with a first commit each, and a change of `alpha` that is ready to be prepared. */
async function setup(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  proposed: Readonly<Record<string, string>>,
  reviews?: Connections,
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
  const local = createLocalGit(root);
  const connections = { git: reviews?.git?.driver ?? 'git' };
  const layouts = createLayouts({
    tenant: 'main',
    projects: () => gated,
    git: local,
    connections,
    ...(reviews && { reviews }),
  });
  const stored: StoredGraph[] = [];
  const put = async (text: string | Uint8Array) => {
    stored.push(JSON.parse(String(text)));
    return { digest: 'sha256:0', size: 0 };
  };
  const facts = change('git:1', { project: 'alpha', ref: 'refs/heads/proposed', files: Object.keys(proposed) });
  const items = [{ key: '1.1', base: null, changes: [facts], ahead: [], trigger: facts.key }];
  const input = { tenant: 'main', pipeline: 'check', queue: 'q', items, graphs: {} };
  const sealer = {} as Parameters<typeof createPrepare>[0]['sealer'];
  const prepare = createPrepare({ layouts, git: local, blobs: { put, read: async () => Buffer.from('') }, sealer });
  return { repo, stored, prepare: () => prepare(input) };
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

const hub = { driver: 'github', url: 'https://hub.example.org', token: { env: 'TOKEN' } } as const;
const elsewhere = { driver: 'git', url: '/srv/git', poll: 60_000 } as unknown as ConnectionSettings;
const review = { driver: 'gerrit', url: 'https://review.example.org' } as unknown as ConnectionSettings;
for (const [says, host, whole] of [
  ['GitHub is all commits of its branch', hub, true],
  ['plain Git elsewhere is all commits of its branch', elsewhere, true],
  ['Gerrit is one commit', review, false],
] as const) {
  test(`I9: a change of ${says}, also where it is to be rebased`, async (t) => {
    const alpha = '- project: {merge-mode: rebase, check: {jobs: [noop]}}\n';
    const { repo, stored, prepare } = await setup(t, { alpha }, { first: '1' }, { git: host });
    const [main, first] = [await readBranch(repo, 'main'), await readBranch(repo, 'proposed')];
    await setBranch(repo, 'main', await makeCommit(repo, { files: { other: '1' }, parents: [main ?? ''] }));
    await setBranch(repo, 'proposed', await makeCommit(repo, { files: { second: '1' }, parents: [first ?? ''] }));
    await prepare();
    const names = await git(repo, ['ls-tree', '--name-only', stored[0]?.sources[0]?.commit ?? '']);
    assert.equal(names, `.zuul.yaml\n${whole ? 'first\n' : ''}other\nsecond\n`);
  });
}
