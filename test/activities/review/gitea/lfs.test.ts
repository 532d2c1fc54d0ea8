import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportTree } from '../../../../activities/git/export.ts';
import { createBringObjects } from '../../../../activities/git/fetch-lfs.ts';
import { createBringModules } from '../../../../activities/git/fetch-modules.ts';
import { fillPointers, lfsPointers } from '../../../../activities/git/lfs.ts';
import { repositoryPath } from '../../../../activities/git/names.ts';
import type { GitRemote } from '../../../../activities/git/remote.ts';
import { must } from '../../../../activities/process/run.ts';
import { createFileBlobStore } from '../../../../activities/storage/filesystem/blob-store.ts';
import { bareRepository, makeCommit, scratch } from '../../git/repository.ts';
import { gitea, useGitea } from './site.ts';
import { openWorld } from './world.ts';

const site = useGitea();

test('the objects of a private project of a real Gitea are fetched by its token', {
  skip: gitea === null,
}, async (t) => {
  const world = await openWorld(t, site());
  const { root } = site();
  const project = `${world.owner}/alpha`;
  const content = randomBytes(300_000);
  const oid = createHash('sha256').update(content).digest('hex');
  // Gitea itself makes pointers of what its attributes say.
  const write = (path: string, text: string | Buffer, to: object) =>
    root.api('POST', `/repos/${project}/contents/${path}`, {
      content: Buffer.from(text).toString('base64'),
      message: `Add ${path}`,
      ...to,
    });
  await write('.gitattributes', '*.bin filter=lfs diff=lfs merge=lfs -text\n', { new_branch: 'lfs' });
  await write('data.bin', content, { branch: 'lfs' });
  await root.api('PATCH', `/repos/${project}`, { private: true });
  await world.git.ensure(project, []);
  const branch = 'lfs';
  const commit = (await world.git.branchTip(project, branch)) ?? '';
  const work = await scratch(t);
  const directory = join(work, 'tree');
  await world.git.exportTree({ project, branch, commit }, directory);
  const pointers = await lfsPointers(directory);
  assert.deepEqual(pointers, [{ path: 'data.bin', oid, size: content.length }]);
  const store = createFileBlobStore({ root: join(work, 'storage'), baseUrl: '' });
  const remote = world.connection.host.gitRemote(project);
  const bring = (token: 'ours' | 'none') =>
    createBringObjects(
      () => ({
        repo: repositoryPath(work, project),
        host: 'tea',
        from: token === 'ours' ? remote : { url: remote.url, access: async () => ({}) },
      }),
      store,
    )({ project, commit, objects: pointers });
  await assert.rejects(bring('none'), /^SourceFault: tea declines to give objects of Git LFS \(40[14]\)$/);
  await bring('ours');
  await fillPointers(directory, pointers, store.open);
  assert.ok((await readFile(join(directory, 'data.bin'))).equals(content));
});

test('a private submodule at a real Gitea is fetched by its token', { skip: gitea === null }, async (t) => {
  const { owner, connection } = await openWorld(t, site());
  const { root, server } = site();
  const [app, vendor] = [`${owner}/alpha`, `${owner}/vendor`];
  const made = { name: 'vendor', auto_init: true, private: true, default_branch: 'master' };
  await root.api('POST', `/orgs/${owner}/repos`, made);
  await root.api('PUT', `/repos/${vendor}/collaborators/sluice-bot`, { permission: 'read' });
  const { commit: tip } = await root.api<{ commit: { id: string } }>('GET', `/repos/${vendor}/branches/master`);
  const work = await scratch(t);
  const repo = await bareRepository(work, app);
  const named = '[submodule "v"]\n\tpath = v\n\turl = ../vendor.git\n';
  const commit = await makeCommit(repo, { files: { '.gitmodules': named }, links: { v: tip.id } });
  const { gitRemote } = connection.host;
  const { url: address, access } = gitRemote(app);
  // As the host has it: it takes a commit whose submodule is another repository's.
  await must('git', [`--git-dir=${repo}`, 'push', '--quiet', address, `${commit}:refs/heads/modules`], {
    env: { ...(await access()) },
  });
  const bringBy = (remote: (name: string) => GitRemote) =>
    createBringModules(() => ({ repo, host: 'tea', address, site: server.url, remote, project: () => null }))(
      app,
      commit,
    );
  await assert.rejects(bringBy((name) => ({ url: gitRemote(name).url, access: async () => ({}) })));
  const modules = await bringBy(gitRemote);
  assert.deepEqual(modules, [{ path: 'v', commit: tip.id, source: gitRemote(vendor).url }]);
  const directory = join(work, 'tree');
  await exportTree({ repo, commit, branch: 'master', directory, modules: async () => modules });
  assert.match(await readFile(join(directory, 'v', 'README.md'), 'utf8'), /vendor/);
});
