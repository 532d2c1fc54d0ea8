import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { attest } from '../../../activities/attest/attestation.ts';
import { openBuilderKey } from '../../../activities/attest/builder-key.ts';
import { readCommits } from '../../../activities/git/objects.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { openSigner } from '../../../infra/signer/signer.ts';
import { dataPaths } from '../../../infra/stack/paths.ts';
import { prepareSigner } from '../../../infra/stack/signer.ts';
import type { PackagesManifest } from '../../../pipelines/model/artifact.ts';
import { bareRepository, makeCommit, setBranch } from '../../activities/git/repository.ts';
import { makePackage, temporary } from '../../activities/repository/packages.ts';

test('S1: the signer of an installation knows its worker, and looks up its Git host by itself', async (t) => {
  const directory = await temporary(t);
  const paths = dataPaths(join(directory, 'data'));
  prepareSigner(paths);
  const repo = await bareRepository(paths.git, 'alpha');
  const commit = await makeCommit(repo, { files: { data: 'one' } });
  await setBranch(repo, 'main', commit);
  const open = await makeCommit(repo, { parents: [commit], files: { data: 'two' } });
  const isGated = async ({ branch }: { readonly branch: string }) => branch !== 'topic';
  const signer = await openSigner(paths, { warn: (message) => assert.fail(message), isGated });
  t.after(() => signer.close());

  const store = createFileBlobStore({ root: paths.storage, baseUrl: '' });
  const path = await makePackage('deb', directory, { name: 'alpha', version: '1' });
  const ref = await store.put({ path });
  const file = { ...ref, name: basename(path), kind: 'binary', package: 'alpha', version: '1', arch: 'all' } as const;
  const ask = async (of: string, key = openBuilderKey(paths.builder), branch = 'main') => {
    const tree = (await readCommits(repo, [of]))[0]?.tree ?? '';
    const source = { project: 'alpha', branch, commit: of, tree, name: 'alpha', version: '1' };
    const environment = { image: 'sha256:0', packages: [], repositories: [], inputs: [] };
    const times = { started: '2026-01-01T00:00:00Z', finished: '2026-01-01T00:01:00Z', build: 'b1' };
    const built: PackagesManifest = {
      format: 'deb',
      platform: 'debian-12',
      source,
      files: [file],
      environment,
      ...times,
    };
    const { digest: manifest } = await store.put(JSON.stringify(attest(key, built)));
    return signer.activities.signPackages({ format: 'deb', files: [file], manifest, commit: of });
  };
  assert.equal((await ask(commit))[0]?.after.digest, ref.digest);
  await assert.rejects(
    ask(open),
    /^ApplicationFailure: refused by the signer: commit [0-9a-f]{12} is not on the branch main/,
  );
  await setBranch(repo, 'topic', open);
  await assert.rejects(ask(open, openBuilderKey(paths.builder), 'topic'), /is not on the branch topic/);
  await assert.rejects(ask(commit, openBuilderKey(join(directory, 'stranger'))), /by a worker that is not known here/);
  // It has looked through a repository of its own, and left the host's alone.
  assert.deepEqual(await readdir(join(paths.keys, 'git')), ['alpha.git']);
});
