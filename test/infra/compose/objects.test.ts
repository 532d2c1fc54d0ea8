import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAskObjects } from '../../../activities/git/ask-sources.ts';
import { createBringObjects } from '../../../activities/git/fetch-lfs.ts';
import { createLocalGit } from '../../../activities/git/local.ts';
import { openTokenRemote } from '../../../activities/review/token-remote.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { withObjects } from '../../../infra/compose/modules.ts';
import { oidOf, openServer, pointerTo } from '../../activities/git/lfs-server.ts';
import { bareRepository, makeCommit, scratch } from '../../activities/git/repository.ts';
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
  const objects = createBringObjects(() => ({ repo, host: 'tea', remote }), blobs);
  const server = await startServer({ modules: async () => [], objects });
  t.after(server.stop);
  const ask = (token: string) => createAskObjects({ url: server.url, token: async () => token });
  const wanted = { project: 'own/app', commit, objects: [{ oid: oidOf('big'), size: 3 }] };

  await assert.rejects(ask('another')(wanted), { name: 'HostAway' });
  assert.deepEqual(host.asked, [], 'nobody is asked for who may not ask');
  await withObjects({ sources, objects: ask('worker'), blobs })(state, join(root, 'tree'), t.signal);
  for (const path of ['a.bin', 'b.bin']) assert.equal(await readFile(join(root, 'tree', path), 'utf8'), 'big');
  const batches = host.asked.flatMap(
    ({ body }) => (body as { readonly objects?: readonly object[] } | null)?.objects ?? [],
  );
  assert.deepEqual(batches, wanted.objects, 'two pointers to one object are one question');

  const lost = { ...wanted, objects: [{ oid: oidOf('lost'), size: 4 }] };
  const says = new RegExp(`^tea has no Git LFS object ${oidOf('lost')}: Object does not exist$`);
  await assert.rejects(ask('worker')(lost), { name: 'SourceFault', message: says });
  await assert.rejects(ask('worker')({ ...wanted, objects: [{ oid: '../key', size: 3 }] }), { name: 'HostAway' });
  await withObjects({ sources, blobs })(state, join(root, 'pointers'), t.signal);
  assert.equal(await readFile(join(root, 'pointers', 'a.bin'), 'utf8'), pointerTo('big'));
});
