import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openCache } from '../../../../activities/git/cache.ts';
import { exportTree } from '../../../../activities/git/export.ts';
import { createBringObjects } from '../../../../activities/git/fetch-lfs.ts';
import { createBringModules } from '../../../../activities/git/fetch-modules.ts';
import { fillPointers, lfsPointers } from '../../../../activities/git/lfs.ts';
import { repositoryPath } from '../../../../activities/git/names.ts';
import type { Git } from '../../../../activities/git/port.ts';
import type { GitRemote } from '../../../../activities/git/remote.ts';
import { must } from '../../../../activities/process/run.ts';
import { openPlainRemote } from '../../../../activities/review/plain/remote.ts';
import { readSecret } from '../../../../activities/review/secret.ts';
import { createFileBlobStore } from '../../../../activities/storage/filesystem/blob-store.ts';
import { bareRepository, makeCommit, scratch } from '../../git/repository.ts';
import { gitea, useGitea } from './site.ts';
import { openWorld } from './world.ts';

const site = useGitea();

/** A private project whose branch `lfs` has one file that Git LFS keeps. */
async function openLfs(t: TestContext) {
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
  return { world, project, content, oid };
}

/** What a build has of it, with where its objects are kept. */
async function exportLfs(t: TestContext, git: Git, project: string) {
  await git.ensure(project, []);
  const branch = 'lfs';
  const commit = (await git.branchTip(project, branch)) ?? '';
  const work = await scratch(t);
  const directory = join(work, 'tree');
  await git.exportTree({ project, branch, commit }, directory);
  const store = createFileBlobStore({ root: join(work, 'storage'), baseUrl: '' });
  return { work, directory, commit, store, pointers: await lfsPointers(directory) };
}

test('the objects of a private project of a real Gitea are fetched by its token', {
  skip: gitea === null,
}, async (t) => {
  const { world, project, content, oid } = await openLfs(t);
  const { work, directory, commit, store, pointers } = await exportLfs(t, world.git, project);
  assert.deepEqual(pointers, [{ path: 'data.bin', oid, size: content.length }]);
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
  await assert.rejects(bring('none'), /^SourceFault: tea declines to give objects of Git LFS \(40[14]\)/);
  await bring('ours');
  await fillPointers(directory, pointers, store.open);
  assert.ok((await readFile(join(directory, 'data.bin'))).equals(content));
});

test('the same by ssh with a deploy key, as a connection of plain Git has it', {
  skip: gitea === null,
}, async (t) => {
  const { project, content } = await openLfs(t);
  const { root, server } = site();
  const keys = await scratch(t);
  const [identity, knownHosts] = [join(keys, 'id'), join(keys, 'known_hosts')];
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', identity]);
  await writeFile(knownHosts, server.ssh.known);
  const remote = (name: string) =>
    openPlainRemote({ driver: 'git', url: server.ssh.url, identity, knownHosts }, readSecret, name);
  const cache = openCache({ directory: join(keys, 'cache'), remote });
  await assert.rejects(cache.ensure(project, []), /Permission denied/);
  const key = await readFile(`${identity}.pub`, 'utf8');
  await root.api('POST', `/repos/${project}/keys`, { title: 'sluice', key, read_only: true });
  const { work, directory, commit, store, pointers } = await exportLfs(t, cache, project);
  const bring = createBringObjects(
    () => ({ repo: repositoryPath(work, project), host: 'tea', from: remote(project) }),
    store,
  );
  await bring({ project, commit, objects: pointers });
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
