import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifySigned } from '../../../activities/keys/verify.ts';
import { createReleaseActivities } from '../../../activities/release/release-activities.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { leftKeys } from '../../../activities/sign/left-keys.ts';
import { isSignedBy } from '../../../activities/sign/rpm.ts';
import { createSignActivities } from '../../../activities/sign/sign-activities.ts';
import type { PackagesManifest } from '../../../pipelines/model/artifact.ts';
import { build, inputFor, merged, publish, releaseWorld, type World } from './world.ts';

const names = ['First <first@example.org>', 'Second <second@example.org>'] as const;
const [, second] = names;
const rules = {
  codename: 'bookworm',
  keys: { 'rpm-13': [second] },
  lines: [{ name: 'rpm-13', platforms: ['rpm-debian-13'], codename: '' }],
};

async function buildOn(world: World, platform: string, source: Awaited<ReturnType<typeof merged>>): Promise<string> {
  const attest = (manifest: PackagesManifest) => world.attestor.attest({ ...manifest, platform });
  return build({ ...world, attestor: { ...world.attestor, attest } }, { format: 'rpm', source });
}

test('B-103 B-111: a line has keys of its own: they alone sign its index and packages, and its clients are shown no other', async (t) => {
  const world = await releaseWorld(t, undefined, rules, names);
  const source = await merged(world, 'one\n');
  const [own = '', other = ''] = world.keys.shown;
  for (const [repository, platform, signers] of [
    ['rpm', 'rpm-debian-12', [own, other]],
    ['rpm-13', 'rpm-debian-13', [other]],
  ] as const) {
    const manifest = await buildOn(world, platform, source);
    // The same file for both: what one key has signed is not handed on to the clients of another.
    assert.deepEqual(await publish(world, inputFor(manifest, source), `of-${repository}`), {});
    const tree = join(world.released, repository);
    const key = await readFile(join(tree, 'archive-key.asc'), 'utf8');
    const [text, signature] = await Promise.all(
      ['repomd.xml', 'repomd.xml.asc'].map((name) => readFile(join(tree, 'repodata', name), 'utf8')),
    );
    const found = await verifySigned(await world.archiveKey(), { text: text ?? '', signature: signature ?? '' });
    assert.deepEqual(
      found?.map(({ primary }) => primary),
      signers,
    );
    const [packed] = await repositoryFormats.rpm.list(tree);
    assert.equal(await isSignedBy(key, join(tree, packed?.path ?? '')), true);
    assert.equal(
      await isSignedBy(await world.keys.among([second]).publicKey(), join(tree, packed?.path ?? '')),
      repository === 'rpm-13',
    );
    const [signed] = await world.signer.signPackages({
      ...(await world.activities.releasedFiles({ manifest })),
      manifest,
      commit: source.commit,
    });
    assert.equal(signed?.key, signers[0]);
    assert.equal(signed?.after.digest, `sha256:${packed?.sha256}`);
  }
});

test('B-103: an index that keys of another line have signed is not shown', async (t) => {
  const world = await releaseWorld(t, undefined, rules, names);
  const source = await merged(world, 'one\n');
  const manifest = await buildOn(world, 'rpm-debian-13', source);
  const wrong = { ...world.deps, rules: { codename: 'bookworm', lines: rules.lines } };
  const signer = createSignActivities({
    ...{ keys: { ...world.keys, sign: [world.keys.sign[0]] }, inbox: world.store, outbox: world.outbox },
    ...{ proof: world.proof, ledger: world.ledger, rules: wrong.rules },
  });
  const { refused } = await publish({ ...world, signer }, inputFor(manifest, source));
  assert.match(
    refused ?? '',
    /repomd\.xml\.asc: .* by the keys that the signer shows it is not good; start the signer again/,
  );
});

test('B-111: a repository that gets other keys takes releases once they name the one of the packages that it has', async (t) => {
  const world = await releaseWorld(t, undefined, rules, names);
  const release = async (version: string, keys: readonly string[] | undefined) => {
    const source = await merged(world, `${version}\n`);
    const manifest = await build(world, { format: 'rpm', source, sample: { version } });
    const given = keys === undefined ? rules : { ...rules, keys: { rpm: keys } };
    const archiveKey = () => (keys === undefined ? world.keys : world.keys.among(keys)).publicKey();
    const signer = createSignActivities({
      ...{ keys: world.keys, inbox: world.store, outbox: world.outbox },
      ...{ proof: world.proof, ledger: world.ledger, rules: given },
    });
    const activities = createReleaseActivities({ ...world.deps, rules: given, archiveKey });
    return publish({ ...world, activities, signer }, inputFor(manifest, source), `r-${version}`);
  };
  assert.deepEqual(await release('1.0-1', undefined), {});
  const left = (...keys: readonly string[]) =>
    leftKeys(
      { ...rules, keys: { rpm: keys } },
      { repository: 'rpm', tree: join(world.released, 'rpm'), shown: world.keys.among(keys).shown },
    );
  assert.match(
    (await left(second)) ?? '',
    /^clients of rpm are no longer shown \S*[0-9A-F]{40}.*First.*: while one .* name the key in `release\.rpm\.keys`, after those/,
  );
  assert.equal(await left(second, names[0]), null);
  assert.match(
    (await release('1.0-2', [second])).refused ?? '',
    /alpha-1\.0-1\.\w+\.rpm was signed by a key that clients of rpm are not shown: name that key in `release\.rpm\.keys`, after/,
  );
  assert.deepEqual(await release('1.0-3', [second, names[0]]), {});
});
