import assert from 'node:assert/strict';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { importBlob, readImported } from '../../../activities/release/import.ts';
import { RepositoryRefusal } from '../../../activities/repository/port.ts';
import { blobPath, createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { temporary } from '../repository/packages.ts';

async function world(t: Parameters<typeof temporary>[0]) {
  const directory = await temporary(t);
  const [ours, theirs] = [join(directory, 'ours'), join(directory, 'theirs')];
  const [store, signed] = [ours, theirs].map((root) => createFileBlobStore({ root, baseUrl: '' }));
  assert.ok(store && signed);
  const damage = async (root: string, digest: string) => {
    await chmod(blobPath(root, digest), 0o600);
    await writeFile(blobPath(root, digest), 'damaged');
  };
  const { digest } = await signed.put('signed');
  const is = (await createFileBlobStore({ root: join(directory, 'other'), baseUrl: '' }).put('damaged')).digest;
  return { ours, theirs, store, signed, digest, is, damage, deps: { store, signed } };
}

const refused = (message: string) => (error: Error) => {
  assert.ok(error instanceof RepositoryRefusal, `${error}`);
  assert.equal(error.message, message);
  return true;
};

test('what the signer has signed is copied once, and is what its digest says', async (t) => {
  const { deps, digest, store, theirs } = await world(t);
  await importBlob(deps, digest);
  assert.equal((await store.read(digest)).toString(), 'signed');
  await rm(theirs, { recursive: true });
  assert.equal(await readImported(deps, digest), 'signed');
});

test('damaged content is refused by its name, in either place, and nothing of it is kept', async (t) => {
  const { deps, digest, is, store, signed, ours, theirs, damage } = await world(t);
  const place = `blobs/${digest.replace(':', '/').replace(/(\/..)/, '$1/')}`;
  const says = (where: string) =>
    refused(`${digest} is damaged in ${where}, where it is ${is}: remove ${place} there, and release again`);
  await damage(theirs, digest);
  await assert.rejects(importBlob(deps, digest), says('the directory of what is signed'));
  assert.deepEqual([await store.has(digest), await store.has(is)], [false, false]);
  await rm(blobPath(theirs, digest));
  await signed.put('signed');
  await importBlob(deps, digest);
  await rm(blobPath(ours, digest));
  await store.put('signed');
  await damage(ours, digest);
  await assert.rejects(readImported(deps, digest), says('storage'));
});
