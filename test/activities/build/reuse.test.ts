import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { attest } from '../../../activities/attest/attestation.ts';
import { createAttestor, testRepositoriesIn } from '../../../activities/attest/attestor.ts';
import type { BuildStageDeps } from '../../../activities/build/deps.ts';
import type { Offer } from '../../../activities/build/offer.ts';
import { digestInputs, takeOver } from '../../../activities/build/reuse.ts';
import type { Room } from '../../../activities/build/room.ts';
import { blobPath } from '../../../activities/storage/filesystem/blob-store.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { PackagesManifest } from '../../../pipelines/model/artifact.ts';
import type { StageInput } from '../../../workflows/contract.ts';
import { itemIn } from '../release/world.ts';
import { openWorkshop, type Repository, type Workshop } from './workshop.ts';

let workshop: Workshop;
before(async () => {
  workshop = await openWorkshop();
});
after(() => workshop.close());

const { privateKey: key } = generateKeyPairSync('ed25519');

/** A worker with this key. */
function attestorFor(repository: Repository | null, own = key) {
  const root = join(workshop.root, 'test-repositories');
  return createAttestor({
    ...{
      key: own,
      store: workshop.store,
      repositories: { look: testRepositoriesIn(root), url: async () => 'http://here/repositories/test/' },
    },
    treeOf: async ({ commit }) => (await repository?.git('rev-parse', `${commit}^{tree}`)) ?? '',
  });
}

const job = `sha256:${'a'.repeat(64)}`;
const spec = `Name: tiny
Version: 1.0
Release: 1
Summary: Next to nothing
License: MIT
BuildArch: noarch
Source0: data
%description
Next to nothing.
%install
install -D -m 644 %{SOURCE0} %{buildroot}/usr/share/tiny/data
%files
/usr/share/tiny
%changelog
* Mon Jan 06 2025 Dev <dev@sluice.dev> - 1.0-1
- First.
`;

test('W17: a tree of check is not built again in the gate, and every other input is', async () => {
  const repository = await workshop.repository('tiny');
  await repository.commit('Add it', { 'tiny.spec': spec, data: 'data\n' });
  const common = { platform: 'rpm-debian-12', attestor: attestorFor(repository), recipe: 'one' } as const;
  const checked = await workshop.build(repository, { ...common, reuse: { job, manifests: [] } });
  assert.equal(checked.result.result, 'SUCCESS', checked.log);
  const { metadata } = checked.result.artifacts[0] ?? {};
  const manifests = [String(metadata?.manifest)];
  assert.match(String(metadata?.inputs), /^sha256:[0-9a-f]{64}$/);
  assert.match(checked.log, new RegExp(`inputs ${metadata?.inputs}`));

  const gate = { ...common, pipeline: 'gate', reuse: { job, manifests } };
  const again = await workshop.build(repository, gate);
  assert.match(again.result.summary, /^tiny 1\.0-1.*: 1 package, reused the build of 1,1 in check$/);
  assert.doesNotMatch(again.log, /Build, without network/);
  assert.match(again.log, /reused the build of 1,1 in check/);
  assert.deepEqual(again.manifest?.files, checked.manifest?.files);
  assert.equal(again.manifest?.item?.pipeline, 'gate');
  const origin = { build: checked.manifest?.build, manifest: manifests[0], item: checked.manifest?.item };
  assert.deepEqual(again.manifest?.reused, origin);
  assert.ok(again.manifest && common.attestor.vouches(again.manifest));
  const said = again.result.artifacts[0]?.metadata;
  assert.equal(said?.inputs, metadata?.inputs);
  assert.deepEqual(said?.reused, { build: checked.manifest?.build, pipeline: 'check', change: '1', patchset: 1 });

  const edited = await workshop.build(repository, { ...gate, reuse: { job: `sha256:${'b'.repeat(64)}`, manifests } });
  assert.match(edited.log, /Build, without network/, 'check ran an edited job');
  assert.equal(edited.manifest?.reused, undefined);
  await repository.commit('Say it again', { data: 'data\n' });
  const later = await workshop.build(repository, gate);
  assert.match(later.log, /Build, without network/, 'the same tree in another commit has another version');
});

/** A build as this worker made it just now, and what it is asked to stand for. */
async function scene(change: (manifest: PackagesManifest) => PackagesManifest = (same) => same) {
  const file = await workshop.store.put(`package ${Math.random()}`);
  const inputsDigest = `sha256:${'1'.repeat(64)}`;
  const now = Date.now();
  const made: PackagesManifest = change({
    ...{ format: 'deb', platform: 'debian-12', build: 'b1', item: itemIn('check'), inputsDigest },
    source: { project: 'a', branch: 'main', commit: 'c', tree: 't', name: 'a', version: '1' },
    files: [{ ...file, name: 'a_1_all.deb', kind: 'binary', package: 'a', version: '1', arch: 'all' }],
    environment: { image: 'sha256:0', packages: [], repositories: [] },
    ...{ started: new Date(now - 1_000).toISOString(), finished: new Date(now).toISOString() },
  });
  return { made, file, inputsDigest, now };
}

async function keep(manifest: PackagesManifest, own = key): Promise<string> {
  return (await workshop.store.put(JSON.stringify(attest(own, manifest)))).digest;
}

function taken(manifests: readonly string[], of: { readonly inputsDigest: string | null; readonly now: number }) {
  const deps = { store: workshop.store, attestor: attestorFor(null) } as unknown as BuildStageDeps;
  const build = { ...itemIn('gate'), id: 'b2', project: 'a', branch: 'main' };
  return takeOver(deps, { build, reuse: { job, manifests } } as unknown as StageInput, of);
}

test('W17: a build that took another one over leads to that one', async () => {
  const { made, ...of } = await scene();
  const first = await keep(made);
  const second = await taken([first], of);
  assert.deepEqual(second?.reused, { build: 'b1', manifest: first, item: itemIn('check') });
  const third = await taken([await keep(second)], of);
  assert.deepEqual(third?.reused, second.reused);
});

test('W17: what nobody knows, has signed, or has kept stands for nothing', async () => {
  const { made, file, ...of } = await scene();
  const known = await keep(made);
  assert.notEqual(await taken([known], of), null);
  assert.equal(await taken([known], { ...of, inputsDigest: null }), null, 'an input is not known');
  assert.equal(await taken([known], { ...of, inputsDigest: `sha256:${'2'.repeat(64)}` }), null, 'other inputs');
  assert.equal(await taken([known], { ...of, now: of.now + 25 * 3_600_000 }), null, 'too old');
  assert.equal(await taken([`sha256:${'f'.repeat(64)}`], of), null, 'its manifest is gone');
  const { privateKey: other } = generateKeyPairSync('ed25519');
  assert.equal(await taken([await keep(made, other)], of), null, "a stranger's");
  const unsigned = (await workshop.store.put(JSON.stringify(made))).digest;
  assert.equal(await taken([unsigned], of), null, 'unsigned');
  const edited = { ...attest(key, made), platform: 'debian-13' };
  assert.equal(await taken([(await workshop.store.put(JSON.stringify(edited))).digest], of), null, 'edited');
  assert.equal((await taken([unsigned, known], of))?.reused?.build, 'b1', 'the next one is looked at');
  await rm(blobPath(join(workshop.root, 'storage'), file.digest));
  assert.equal(await taken([known], of), null, 'a file of it is gone');
});

test('W17: everything that a build depends on is in the digest of its inputs', async () => {
  const [platform] = builtInPlatforms;
  assert.ok(platform);
  const source = { project: 'a', branch: 'main', commit: 'c', tree: 't' };
  const offer: Offer = { repositories: [], inputs: [], contents: ['files', 'sha256:index'] };
  const digest = (given: {
    readonly input?: object;
    readonly recipe?: string;
    readonly image?: string;
    readonly offer?: Offer;
    readonly platform?: typeof platform;
  }) => {
    const deps = { attestor: attestorFor(null), recipe: async () => given.recipe ?? 'one' };
    const input = { source, reuse: { job, manifests: [] }, ...given.input } as unknown as StageInput;
    const room = { machine: { origin: async () => given.image ?? 'sha256:0' } } as unknown as Room;
    const place = { platform: given.platform ?? platform, room, offer: given.offer ?? offer };
    return digestInputs(deps as unknown as BuildStageDeps, input, place);
  };
  const plain = await digest({});
  assert.match(plain ?? '', /^sha256:[0-9a-f]{64}$/);
  assert.equal(await digest({}), plain);
  const others = [
    { recipe: 'two' },
    { image: 'sha256:1' },
    { input: { source: { ...source, tree: 'other' } } },
    { input: { source: { ...source, commit: 'other' } } },
    { input: { source: { ...source, project: 'other' } } },
    { input: { reuse: { job: 'other', manifests: [] } } },
    { platform: { ...platform, limits: { ...platform.limits, memoryMiB: 1 } } },
    { platform: { ...platform, arch: 'arm64' } },
    { offer: { ...offer, contents: ['files', 'sha256:later'] } },
    { offer: { ...offer, contents: ['sha256:index', 'files'] } },
    { offer: { ...offer, contents: ['sha256:index'] } },
  ];
  const seen = await Promise.all(others.map(digest));
  assert.equal(new Set([plain, ...seen]).size, others.length + 1);
  assert.equal(await digest({ offer: { ...offer, contents: ['files', null] } }), null, 'nobody knows what is in one');
  assert.equal(await digest({ input: { reuse: undefined } }), null);
});
