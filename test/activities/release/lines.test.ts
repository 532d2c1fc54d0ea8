import assert from 'node:assert/strict';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createReleaseActivities } from '../../../activities/release/release-activities.ts';
import { createStatementVerifier } from '../../../activities/release/verify-statement.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { createSignActivities } from '../../../activities/sign/sign-activities.ts';
import type { PackagesManifest } from '../../../pipelines/model/artifact.ts';
import type { ReleaseRules } from '../../../pipelines/model/release-line.ts';
import { build, inputFor, merged, publish, releaseWorld, type World } from './world.ts';

const rules: ReleaseRules = {
  codename: 'bookworm',
  lines: [
    { name: 'deb-trixie', platforms: ['debian-13'], codename: 'trixie' },
    { name: 'rpm-13', platforms: ['rpm-debian-13'], codename: '' },
  ],
};

/** A build as a worker of that platform attests it. */
async function buildOn(world: World, platform: string, of: Parameters<typeof build>[1]): Promise<string> {
  const attestor = {
    ...world.attestor,
    attest: (manifest: PackagesManifest) => world.attestor.attest({ ...manifest, platform }),
  };
  return build({ ...world, attestor }, of);
}

async function listed(world: World, repository: string): Promise<readonly string[]> {
  const tree = join(world.released, repository);
  const format = repositoryFormats[repository.startsWith('rpm') ? 'rpm' : 'deb'];
  return (await format.list(tree).catch(() => [])).map(({ name, version }) => `${name} ${version}`);
}

test('each platform has its released repository: one commit goes into both, and the first stays as it was', async (t) => {
  const world = await releaseWorld(t, undefined, rules);
  const source = await merged(world, 'one\n');
  const first = await buildOn(world, 'debian-12', { source });
  const second = await buildOn(world, 'debian-13', { source, sample: { version: '1.0-1+deb13' } });
  assert.deepEqual(await publish(world, inputFor(first, source)), {});
  assert.deepEqual(await publish(world, inputFor(second, source)), {});
  assert.deepEqual(await listed(world, 'deb'), ['alpha 1.0-1']);
  assert.deepEqual(await listed(world, 'deb-trixie'), ['alpha 1.0-1+deb13']);
  const text = await readFile(join(world.released, 'deb-trixie/dists/trixie/InRelease'), 'utf8');
  assert.match(text, /^Codename: trixie$/m);
});

test('the same for RPM, and the same content may be in two lines', async (t) => {
  const world = await releaseWorld(t, undefined, rules);
  const source = await merged(world, 'one\n');
  const manifests = await Promise.all(
    ['rpm-debian-12', 'rpm-debian-13'].map((platform) => buildOn(world, platform, { format: 'rpm', source })),
  );
  for (const manifest of manifests) assert.deepEqual(await publish(world, inputFor(manifest, source)), {});
  assert.deepEqual(await listed(world, 'rpm'), ['alpha 1.0-1']);
  assert.deepEqual(await listed(world, 'rpm-13'), ['alpha 1.0-1']);
});

test('what was built for another architecture is shown in the same state, and its own release finds it there', async (t) => {
  const world = await releaseWorld(t, undefined, { codename: 'bookworm', lines: [] });
  for (const format of ['deb', 'rpm'] as const) {
    const source = await merged(world, `${format}\n`);
    const on = format === 'deb' ? 'debian-12' : 'rpm-debian-12';
    const first = await buildOn(world, on, { format, source });
    const sample = { name: 'alpha-arm', source: 'alpha' };
    const second = await buildOn(world, `${on}-arm64`, { format, source, sample });
    const about = { ...inputFor(first, source), manifests: [first, second] };
    const { promote } = await world.activities.collect(about);
    assert.deepEqual(
      promote.map(({ manifest }) => manifest),
      about.manifests,
    );
    assert.deepEqual(await publish(world, about, `r-${format}`), {});
    assert.deepEqual((await listed(world, format)).toSorted(), ['alpha 1.0-1', 'alpha-arm 1.0-1']);
    const shown = await realpath(join(world.released, format));
    assert.deepEqual(await publish(world, inputFor(second, source), `r-${format}-arm64`), {});
    assert.equal(await realpath(join(world.released, format)), shown, 'it changes nothing');
    const forged = await buildOn(world, `${on}-arm64`, {
      format,
      source,
      forge: ({ attestation: _, ...made }) => made,
    });
    const { promote: none } = await world.activities.collect({ ...about, manifests: [forged, second] });
    assert.deepEqual(none, [], 'where the first is built again, nothing is shown beside it');
    const pruned = `sha256:${'0'.repeat(64)}`;
    const held = await world.activities.collect({ ...about, manifests: [first, pruned, second] });
    assert.deepEqual(
      held.promote.map(({ manifest }) => manifest),
      about.manifests,
    );
    assert.deepEqual(
      held.rebuild.map(({ reason }) => reason.includes(pruned)),
      [true],
    );
    await assert.rejects(world.activities.collect({ ...about, manifests: [pruned, second] }));
  }
});

/** All steps before the index is signed, with a release stage that believes in other rules than the signer. */
async function staged(world: World, source: Awaited<ReturnType<typeof merged>>, believed: ReleaseRules) {
  const manifest = await buildOn(world, 'debian-13', { source });
  const activities = createReleaseActivities({ ...world.deps, rules: believed, verify: async () => null });
  const { signer } = world;
  const { format, files } = await activities.releasedFiles({ manifest });
  const signed = await signer.signPackages({ format, files, manifest, commit: source.commit });
  const step = { release: 'r1', manifest, signed };
  const about = inputFor(manifest, source);
  const envelopes = await signer.signStatements({ digests: await activities.attest({ ...step, about }) });
  const result = await activities.stageReleased({ ...step, envelopes });
  assert.equal(result.outcome, 'staged');
  return { ...(result as Extract<typeof result, { outcome: 'staged' }>), activities };
}

const believed: readonly [of: string, rules: ReleaseRules, refused: RegExp][] = [
  [
    'of another platform',
    { codename: 'bookworm', lines: [] },
    /refused by the signer: the index offers alpha\S*, which has no statement that was signed here/,
  ],
  [
    'of another branch',
    { codename: 'bookworm', lines: [{ name: 'deb-next', platforms: ['debian-13'], codename: 'next' }] },
    /refused by the signer: the index offers alpha\S*, which has no statement that was signed here for deb-next/,
  ],
];
for (const [of, wrong, refused] of believed) {
  test(`S1: the signer signs no index of a line with a package ${of}`, async (t) => {
    const next = { name: 'deb-next', platforms: ['debian-13'], branches: ['next'], codename: 'next' };
    const world = await releaseWorld(t, undefined, { ...rules, lines: [...rules.lines, next] });
    const source = await merged(world, 'one\n');
    const { index, repository } = await staged(world, source, wrong);
    const asked = world.signer.signIndex({ digest: index.digest, ...(repository === undefined ? {} : { repository }) });
    await assert.rejects(asked, refused);
  });
}

test('S1: the signer signs no index of a distribution that is not the one of the line, and knows the lines itself', async (t) => {
  const world = await releaseWorld(t, undefined, rules);
  const source = await merged(world, 'one\n');
  const [line] = rules.lines;
  assert.ok(line);
  const { index } = await staged(world, source, { ...rules, lines: [{ ...line, codename: 'sid' }] });
  const { digest } = index;
  await assert.rejects(
    world.signer.signIndex({ digest, repository: 'deb-trixie' }),
    /index is of sid, and deb-trixie is/,
  );
  await assert.rejects(
    world.signer.signIndex({ digest, repository: '../deb' }),
    /no line of this configuration is called/,
  );
  const rpm = (await world.store.put('<repomd/>')).digest;
  for (const repository of ['deb', 'deb-trixie']) {
    await assert.rejects(
      world.signer.signIndex({ digest: rpm, repository }),
      new RegExp(`the index is of rpm packages, and ${repository} has deb ones`),
    );
  }
  await assert.rejects(
    world.signer.signIndex({ digest, repository: 'rpm' }),
    /is of deb packages, and rpm has rpm ones/,
  );
});

test('S1: the publisher shows no package in the line of another platform', async (t) => {
  const world = await releaseWorld(t, ['publisher'], rules);
  const source = await merged(world, 'one\n');
  const { activities: _, ...state } = await staged(world, source, { codename: 'bookworm', lines: [] });
  const signatures = await world.signer.signIndex({ digest: state.index.digest });
  const { activities } = world;
  const { refused } = await activities.publishReleased({ ...state, format: 'deb', signatures, merged: source });
  assert.match(
    refused ?? '',
    /refused by the publisher: alpha\S* was built on debian-13 from the branch main: that is/,
  );
  assert.deepEqual(await listed(world, 'deb'), []);
});

test('what was released before there were lines stays, and goes on', async (t) => {
  const world = await releaseWorld(t);
  const source = await merged(world, 'one\n');
  const manifest = await buildOn(world, 'debian-13', { source });
  assert.deepEqual(await publish(world, inputFor(manifest, source)), {});
  const proof = {
    keys: world.keys,
    inbox: world.store,
    outbox: world.outbox,
    proof: world.proof,
    ledger: world.ledger,
  };
  const later: World = {
    ...world,
    activities: createReleaseActivities({
      ...{ ...world.deps, rules },
      verify: createStatementVerifier({ archiveKey: world.archiveKey, merged: world.deps.merged, rules }),
    }),
    signer: createSignActivities({ ...proof, rules }),
  };
  const more = await merged(world, 'two\n');
  const [old, fresh] = [
    await buildOn(world, 'debian-12', { source: more, sample: { version: '1.0-2' } }),
    await buildOn(world, 'debian-13', { source: more, sample: { version: '1.0-2+deb13' } }),
  ];
  assert.deepEqual(await publish(later, inputFor(old, more), 'r2'), {});
  assert.deepEqual(await publish(later, inputFor(fresh, more), 'r2'), {});
  assert.ok((await listed(world, 'deb')).includes('alpha 1.0-1'), 'nothing was taken out');
  assert.deepEqual(await listed(world, 'deb-trixie'), ['alpha 1.0-2+deb13']);
});
