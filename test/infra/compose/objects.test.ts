import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAskObjects } from '../../../activities/git/ask-sources.ts';
import { createGit, type GitPlace } from '../../../activities/git/cache.ts';
import { createBringObjects } from '../../../activities/git/fetch-lfs.ts';
import { createLocalGit } from '../../../activities/git/local.ts';
import type { BringModules } from '../../../activities/git/modules.ts';
import { repositoryPath } from '../../../activities/git/names.ts';
import { openTokenRemote } from '../../../activities/review/token-remote.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { fetchModules, fetchObjects, type ModulesDeps, withObjects } from '../../../infra/common/modules.ts';
import { oidOf, openServer, pointerTo } from '../../activities/git/lfs-server.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../../activities/git/repository.ts';
import { startServer } from '../../server/server.ts';

test('a worker that has no rights at a host has the server fetch objects of Git LFS, and its tree holds them', async (t) => {
  const root = await scratch(t);
  const host = await openServer(t, new Map([[oidOf('big'), 'big']]));
  const repo = await bareRepository(root, 'own/app');
  const files = { '.gitattributes': '*.bin filter=lfs -text\n', 'a.bin': pointerTo('big'), 'b.bin': pointerTo('big') };
  const commit = await makeCommit(repo, { files });
  const sources = createLocalGit(root);
  const state = { project: 'own/app', branch: 'main', ...(await sources.resolve('own/app', commit)) };
  const blobs = createFileBlobStore({ root: join(root, 'storage'), baseUrl: '' });
  const remote = openTokenRemote({ url: host.url, user: 'sluice', token: async () => 'very-secret' }, 'own/app');
  const objects = createBringObjects(() => ({ repo, host: 'tea', from: remote }), blobs);
  const server = await startServer({ modules: async () => [], objects });
  t.after(server.stop);
  const ask = (token: string) => createAskObjects({ url: server.url, token: async () => token });
  const wanted = { project: 'own/app', commit, objects: [{ oid: oidOf('big'), size: 3, path: 'a.bin' }] };

  await assert.rejects(ask('another')(wanted), { name: 'HostAway' });
  assert.deepEqual(host.asked, [], 'nobody is asked for who may not ask');
  await withObjects({ sources, objects: ask('worker'), blobs })(state, join(root, 'tree'), t.signal);
  for (const path of ['a.bin', 'b.bin']) assert.equal(await readFile(join(root, 'tree', path), 'utf8'), 'big');
  const batches = host.asked.flatMap(
    ({ body }) => (body as { readonly objects?: readonly object[] } | null)?.objects ?? [],
  );
  assert.deepEqual(batches, [{ oid: oidOf('big'), size: 3 }], 'two pointers to one object are one question');

  const lost = { ...wanted, objects: [{ oid: oidOf('lost'), size: 4, path: 'b.bin' }] };
  const says = new RegExp(`^tea has no Git LFS object ${oidOf('lost')} of "b.bin": Object does not exist$`);
  await assert.rejects(ask('worker')(lost), { name: 'SourceFault', message: says });
  await assert.rejects(ask('worker')({ ...wanted, objects: [{ oid: '../key', size: 3, path: 'a' }] }), {
    name: 'HostAway',
  });
  await withObjects({ sources, blobs })(state, join(root, 'pointers'), t.signal);
  assert.equal(await readFile(join(root, 'pointers', 'a.bin'), 'utf8'), pointerTo('big'));
});

const tracked = { '.gitattributes': '*.bin filter=lfs -text\n' };

test('files of Git LFS in a submodule have their content, from the submodule’s own repository', async (t) => {
  const root = await scratch(t);
  const find = (project: string): GitPlace => ({ kind: 'served', repo: repositoryPath(root, project) });
  const lib = await bareRepository(root, 'own/lib');
  const at = await makeCommit(lib, { files: { ...tracked, 'deep/ä.bin': pointerTo('big'), plain: pointerTo('big') } });
  await setBranch(lib, 'master', at);
  const app = await bareRepository(root, 'own/app');
  const named = '[submodule "s"]\n\tpath = in/s\n\turl = ../lib.git\n';
  const commit = await makeCommit(app, { files: { '.gitmodules': named }, links: { 'in/s': at } });
  const live = { project: (name: string) => ({ name, connection: 'git' }) } as never;
  const remotes: ModulesDeps['remotes'] = new Map();
  const modules = fetchModules({ ...{ find, live, remotes }, refresh: async () => {} });
  const blobs = createFileBlobStore({ root: join(root, 'storage'), baseUrl: '' });
  const whole = withObjects({
    ...{ sources: createGit(find, modules), blobs },
    objects: fetchObjects({ find, remotes, modules }, blobs),
  });
  const state = { project: 'own/app', branch: 'master', commit, tree: '' };
  await assert.rejects(whole(state, join(root, 'early'), t.signal), {
    name: 'SourceFault',
    message: '"in/s/deep/ä.bin" is kept by Git LFS and was not pushed: `git lfs push --all origin`',
  });
  const folder = join(lib, 'lfs', 'objects', oidOf('big').slice(0, 2), oidOf('big').slice(2, 4));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, oidOf('big')), 'big');
  await whole(state, join(root, 'tree'), t.signal);
  assert.equal(await readFile(join(root, 'tree/in/s/deep/ä.bin'), 'utf8'), 'big');
  assert.equal(await readFile(join(root, 'tree/in/s/plain'), 'utf8'), pointerTo('big'));
});

test('those of a submodule are asked of the project’s own host by its right, and of no other', async (t) => {
  const root = await scratch(t);
  const host = await openServer(t, new Map([[oidOf('big'), 'big']]));
  const repo = await bareRepository(root, 'own/app');
  const commit = await makeCommit(repo, { files: tracked });
  const remote = (project: string) =>
    openTokenRemote({ url: host.url, user: 'sluice', token: async () => 'very-secret' }, project);
  const find = (project: string): GitPlace => ({ kind: 'fetched', repo, host: 'tea', remote: remote(project) });
  const modules: BringModules = async () => [
    { path: 'near', commit, source: `${host.url}/own/lib.git` },
    { path: 'far', commit, source: 'https://example.org/own/lib.git' },
  ];
  const blobs = createFileBlobStore({ root: join(root, 'storage'), baseUrl: '' });
  const bring = fetchObjects({ find, remotes: new Map([['tea', remote]]), modules }, blobs);
  const wanted = (module: string) => {
    const objects = [{ oid: oidOf('big'), size: 3, path: `${module}/a.bin` }];
    return { project: 'own/app', commit, module, objects };
  };
  await assert.rejects(
    bring(wanted('far')),
    /^SourceFault: "own\/app" has files .* its submodule "far" is not from tea/,
  );
  await assert.rejects(bring(wanted('none')), /^SourceFault: there is no submodule "none" in/);
  assert.equal(host.asked.length, 0);
  await bring(wanted('near'));
  const login = `Basic ${Buffer.from('sluice:very-secret').toString('base64')}`;
  const [first] = host.asked;
  assert.deepEqual([first?.url, first?.authorization], ['/own/lib.git/info/lfs/objects/batch', login]);
  assert.equal(await blobs.has(`sha256:${oidOf('big')}`), true);
});
