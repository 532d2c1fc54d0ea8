import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createBringObjects } from '../../../../activities/git/fetch-lfs.ts';
import { fillPointers, lfsPointers } from '../../../../activities/git/lfs.ts';
import { repositoryPath } from '../../../../activities/git/names.ts';
import { createFileBlobStore } from '../../../../activities/storage/filesystem/blob-store.ts';
import { scratch } from '../../git/repository.ts';
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
        remote: token === 'ours' ? remote : { url: remote.url, access: async () => ({}) },
      }),
      store,
    )({ project, commit, objects: [{ oid, size: content.length }] });
  await assert.rejects(bring('none'), /^SourceFault: tea declines to give objects of Git LFS \(40[14]\)$/);
  await bring('ours');
  await fillPointers(directory, pointers, store.open);
  assert.ok((await readFile(join(directory, 'data.bin'))).equals(content));
});
