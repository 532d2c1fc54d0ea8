import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { attest } from '../../../activities/attest/attestation.ts';
import type { PlannedState } from '../../../activities/release/plan-port.ts';
import type { ReleaseDeps } from '../../../activities/release/port.ts';
import { previewState } from '../../../activities/release/preview.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { RepositoryRefusal } from '../../../activities/repository/port.ts';
import { blobPath } from '../../../activities/storage/filesystem/blob-store.ts';
import { readManifest } from '../../../activities/storage/manifest.ts';
import { makeSource } from '../repository/packages.ts';
import { all, carryOut, leave, type PlanWorld, planned, planWorld } from './plan.ts';
import { build, merged, releaseWorld, storeManifest, withPackages } from './world.ts';

const withBases = <T>(_: unknown, work: (trees: null) => Promise<T>) => work(null);

const keepOne = { ...planned, lines: planned.lines.map((line) => ({ ...line, keep: 1 })) };

/** What taking a plan back does to its only repository. */
async function stateWithout(world: PlanWorld, plan: string): Promise<PlannedState> {
  const begun = await world.book.look({ plan, action: 'revert' });
  const [state] = 'states' in begun ? begun.states : [];
  assert.ok(state !== undefined);
  return state;
}

/** Plans what waits, and carries that out. @returns the plan */
async function releaseAll(world: PlanWorld): Promise<string> {
  const made = await world.book.make('ada', all);
  assert.ok('id' in made);
  const { ok, summary } = await carryOut(world, made.id);
  assert.equal(ok, true, summary);
  return made.id;
}

for (const format of ['deb', 'rpm'] as const) {
  const [arch, repository] = format === 'deb' ? ['all', 'deb-stable'] : ['noarch', 'rpm-stable'];

  /** Builds, plans and shows a version of a source that makes itself and others. */
  async function release(world: PlanWorld, version: string, others: readonly string[]): Promise<string> {
    const source = await merged(world, `${version}\n`);
    const own = await build(world, { format, source, sample: { name: 'alpha', version } });
    const samples = others.map((name) => ({ name, version }));
    await leave(world, await withPackages(world, own, samples), source, `git:${version}`);
    return releaseAll(world);
  }

  const listed = async (world: PlanWorld) => {
    const found = await repositoryFormats[format].list(join(world.released, repository));
    return found.map(({ name, version }) => `${name} ${version}`).sort();
  };

  test(`what a release had dropped is there again once that is taken back (${format})`, async (t) => {
    const world = planWorld(await releaseWorld(t, undefined, planned));
    await release(world, '0.9-1', ['alpha-older']);
    await release(world, '1.0-1', ['alpha-old', 'alpha-data']);
    const plan = await release(world, '2.0-1', []);
    assert.deepEqual(await listed(world), ['alpha 0.9-1', 'alpha 1.0-1', 'alpha 2.0-1']);
    const state = await stateWithout(world, plan);
    const { gains, loses, notes, refused } = await previewState({ release: world.deps, withBases }, state);
    assert.deepEqual([gains.length, loses.length, refused], [2, 1, null]);
    assert.deepEqual(
      notes.toSorted(),
      ['alpha-data', 'alpha-old'].map(
        (name) => `brought back ${name} 1.0-1 (${arch}): what came in its place is taken back`,
      ),
    );
    assert.equal((await carryOut(world, plan, 'revert')).ok, true);
    const there = ['alpha 0.9-1', 'alpha 1.0-1', 'alpha-data 1.0-1', 'alpha-old 1.0-1'];
    assert.deepEqual(await listed(world), there);
    const tree = join(world.released, repository);
    const { problems } = await checkRepository(repositoryFormats[format], { tree, others: [] });
    assert.deepEqual(problems, [], 'every file is as its statement and the signed index say');
  });

  test(`where one version is kept, the one before is there once the newest is taken back (${format})`, async (t) => {
    const world = planWorld(await releaseWorld(t, undefined, keepOne), keepOne);
    await release(world, '1.0-1', []);
    const plan = await release(world, '2.0-1', []);
    assert.deepEqual(await listed(world), ['alpha 2.0-1']);
    assert.equal((await carryOut(world, plan, 'revert')).ok, true);
    assert.deepEqual(await listed(world), ['alpha 1.0-1']);
  });
}

/** Shows a version of a source with three packages, and the source itself. */
async function releaseFoo(world: PlanWorld, revision: string): Promise<string> {
  const version = `1.0-${revision}`;
  const source = await merged(world, `${version}\n`);
  const own = await build(world, { source, sample: { name: 'foo', version } });
  const others = ['foo-data', 'foo-doc'].map((name) => ({ name, version }));
  const { attestation: _, ...manifest } = await readManifest(world.store, await withPackages(world, own, others));
  const dsc = await makeSource(join(world.directory, randomUUID()), revision, 'of upstream');
  const parts = [dsc, join(dirname(dsc), 'foo_1.0.orig.tar.gz')].map(async (path) => {
    const ref = await world.store.put({ path });
    return { ...ref, name: basename(path), kind: 'source' as const, package: 'foo', version, arch: 'source' };
  });
  const files = [...manifest.files, ...(await Promise.all(parts))];
  await leave(world, await storeManifest(world, attest(world.builder, { ...manifest, files })), source, version);
  return releaseAll(world);
}

test('what cannot come back stays out, says why, and keeps nothing there that is taken back', async (t) => {
  const world = planWorld(await releaseWorld(t, undefined, keepOne), keepOne);
  await releaseFoo(world, '1');
  const plan = await releaseFoo(world, '2');
  const state = await stateWithout(world, plan);
  const look = (deps: ReleaseDeps = world.deps) => previewState({ release: deps, withBases }, state);
  const came = ({ gains }: Awaited<ReturnType<typeof look>>) => gains.map(({ name, arch }) => `${name} ${arch}`).sort();
  assert.deepEqual(came(await look()), ['foo all', 'foo source', 'foo-data all', 'foo-doc all']);

  const refusing: ReleaseDeps['released'] = {
    ...world.deps.released,
    stage: async (of, content, complete) => {
      if (content.files.length > 0) throw new RepositoryRefusal('the index cannot hold it');
      return world.deps.released.stage(of, content, complete);
    },
  };
  const without = await look({ ...world.deps, released: refusing });
  assert.deepEqual([came(without), without.loses.length, without.refused], [[], 4, null]);
  assert.match(without.notes.join('\n'), /^foo 1\.0-1 \(all\), .* do not come back: the index cannot hold it$/);

  // One file of two is kept no more; and of another the statement is signed by somebody else.
  const { digest } = await world.store.put('of upstream');
  for (const place of ['storage', 'signed']) await rm(blobPath(join(world.directory, place), digest), { force: true });
  const statement = join(world.released, 'deb-stable/provenance/foo-doc_1.0-1_all.deb.intoto.jsonl');
  const envelope = JSON.parse(await readFile(statement, 'utf8'));
  await rm(statement);
  await writeFile(statement, JSON.stringify({ ...envelope, signatures: [{ keyid: '', sig: 'bm8=' }] }));
  const some = await look();
  assert.deepEqual([came(some), some.loses.length, some.refused], [['foo all', 'foo-data all'], 4, null]);
  assert.deepEqual(some.notes.toSorted(), [
    'brought back foo 1.0-1 (all): what came in its place is taken back',
    'brought back foo-data 1.0-1 (all): what came in its place is taken back',
    'foo 1.0-1 (source) does not come back: it is kept no more as it was released',
    "foo-doc 1.0-1 (all) does not come back: refused by the publisher: the provenance statement of foo-doc_1.0-1_all.deb is not signed by the archive's key",
  ]);
  // Nor is one that is damaged where the signer shows it.
  const shown = blobPath(join(world.directory, 'signed'), digest);
  await mkdir(dirname(shown), { recursive: true });
  await writeFile(shown, 'damaged');
  assert.deepEqual((await look()).notes.toSorted(), some.notes.toSorted());
  assert.equal((await carryOut(world, plan, 'revert')).ok, true);
  const there = await repositoryFormats.deb.list(join(world.released, 'deb-stable'));
  assert.deepEqual(there.map(({ name, version }) => `${name} ${version}`).sort(), ['foo 1.0-1', 'foo-data 1.0-1']);
});
