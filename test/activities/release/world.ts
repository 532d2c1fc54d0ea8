import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { attest, attestationFault } from '../../../activities/attest/attestation.ts';
import { createAttestor, testRepositoriesIn } from '../../../activities/attest/attestor.ts';
import { keyIdOf } from '../../../activities/attest/builder-key.ts';
import { readCommits } from '../../../activities/git/objects.ts';
import { createReleasePlanner } from '../../../activities/jobs/plan-release.ts';
import { must } from '../../../activities/process/run.ts';
import type { StagedRelease } from '../../../activities/release/port.ts';
import { createReleaseActivities } from '../../../activities/release/release-activities.ts';
import { createStatementVerifier } from '../../../activities/release/verify-statement.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { createGitHost } from '../../../activities/review/git/adapter.ts';
import { openLookup } from '../../../activities/review/git/lookup.ts';
import type { ReviewHost } from '../../../activities/review/port.ts';
import { openPrivateDirectory } from '../../../activities/secrets/keys.ts';
import { type NamedKeys, openArchiveKeys } from '../../../activities/sign/archive-keys.ts';
import { openKey } from '../../../activities/sign/key.ts';
import { openLedger } from '../../../activities/sign/ledger.ts';
import { createSignActivities, type SignDeps } from '../../../activities/sign/sign-activities.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { createReleasedWriter } from '../../../activities/storage/filesystem/released-writer.ts';
import { readManifest } from '../../../activities/storage/manifest.ts';
import type { BuildItem, PackageFormat, PackagesManifest, SourceState } from '../../../pipelines/model/artifact.ts';
import type { ReleaseRules } from '../../../pipelines/model/release-line.ts';
import type { BuildRecord, ReleaseInput, StageInput } from '../../../workflows/contract.ts';
import { bareRepository, makeCommit, setBranch } from '../git/repository.ts';
import { stageInput } from '../install/stage.ts';
import { makePackage, type Sample, temporary } from '../repository/packages.ts';

export const project = 'lib/alpha';

/** Walls that a test leaves standing; the others believe whatever they are told. */
export type Standing = readonly ('release stage' | 'signer' | 'publisher')[];

/**
 * The way from a build to the released repository, for real: a Git host, storage, a worker's key, the signer's key; no
 * workflow engine and no container.
 *
 * @param sign keys that sign; those that are texts are made. None: one is made
 */
export async function releaseWorld(
  t: Pick<TestContext, 'after'>,
  standing?: Standing,
  rules: ReleaseRules = { codename: 'bookworm', lines: [] },
  sign: NamedKeys['sign'] = [],
) {
  const directory = await temporary(t);
  const root = join(directory, 'git');
  const repo = await bareRepository(root, project);
  const store = createFileBlobStore({ root: join(directory, 'storage'), baseUrl: 'http://sluice.example' });
  const outbox = createFileBlobStore({ root: join(directory, 'signed'), baseUrl: 'http://sluice.example' });
  const home = join(directory, 'keys');
  if (sign.length === 0) await openKey(home, 'Test <test@example.org>', 'ed25519');
  else await openPrivateDirectory(home);
  for (const name of sign) if (typeof name === 'string') await addKey(home, name);
  const { keys } = await openArchiveKeys(home, { sign, former: [] });
  t.after(keys.close);
  const archiveKey = keys.publicKey;
  const host = createGitHost({ root, connection: 'git', page: '' });
  const builder = generateKeyPairSync('ed25519').privateKey;
  const builders = new Map([[keyIdOf(builder), builder]]);
  const test = join(directory, 'test-repositories');
  await mkdir(test);
  const places = { directory, root, repo, store, released: join(directory, 'released'), test, builder, keys };
  const stands = (wall: Standing[number]) => standing === undefined || standing.includes(wall);
  const asked = (wall: Standing[number]) => (stands(wall) ? host.readMerged : believing(repo));
  const merged = asked('release stage');
  const verify = stands('publisher')
    ? createStatementVerifier({ archiveKey, merged: asked('publisher'), rules })
    : async () => null;
  const common = {
    store,
    signed: outbox,
    released: createReleasedWriter(places.released),
    origin: 'Sluice',
    rules,
    inUse: async () => [],
  };
  const keyOf = async (repository: string) => {
    const names = rules.keys?.[repository];
    return names === undefined ? archiveKey() : keys.among(names).publicKey();
  };
  const settings = { ...common, policy: 'promote', merged, archiveKey: keyOf, verify } as const;
  const lookup = openLookup({ hosts: root, scratch: join(home, 'git') });
  const proof: SignDeps['proof'] = stands('signer')
    ? { merged: lookup, fault: (manifest) => attestationFault(manifest, builders) }
    : { merged: believing(repo), fault: () => null };
  const ledger = stands('signer') ? openLedger(join(home, 'ledger')) : { has: async () => true, add: async () => {} };
  const builds: BuildRecord[] = [];
  return {
    ...places,
    ...{ outbox, host, archiveKey, builders, ledger, builds, proof },
    plan: createReleasePlanner({ builds: async () => builds, merged, repositories: () => [] }),
    deps: settings,
    activities: createReleaseActivities(settings),
    signer: createSignActivities({
      keys,
      inbox: store,
      outbox,
      proof,
      ledger,
      rules: stands('signer') ? rules : { codename: '', lines: [] },
    }),
    attestor: createAttestor({
      ...{
        key: builder,
        store,
        repositories: { look: testRepositoriesIn(test), url: async () => 'http://sluice.example/repositories/test/' },
      },
      treeOf: async ({ commit }) => (await readCommits(repo, [commit]))[0]?.tree ?? '',
    }),
  };
}

export type World = Awaited<ReturnType<typeof releaseWorld>>;

async function addKey(home: string, uid: string): Promise<void> {
  const make = ['--batch', '--quiet', '--passphrase', '', '--quick-generate-key', uid, 'ed25519', 'sign', 'never'];
  await must('gpg', make, { env: { GNUPGHOME: home } });
}

/** A host that says of every commit that it was merged. */
function believing(repo: string): ReviewHost['readMerged'] {
  return async ({ project: name, branch, commit }) => {
    const [found] = await readCommits(repo, [commit]);
    return found ? { project: name, branch, commit, tree: found.tree, tip: commit } : null;
  };
}

/** A commit that is at no branch: a change that somebody has pushed. */
export async function push(world: World, data: string, parents: readonly string[] = []): Promise<SourceState> {
  const commit = await makeCommit(world.repo, { parents, files: { data } });
  return stateOf(world, commit);
}

export async function stateOf({ repo }: World, commit: string): Promise<SourceState> {
  const [found] = await readCommits(repo, [commit]);
  return { project, branch: 'main', commit, tree: found?.tree ?? '' };
}

export async function mergeState({ repo }: World, { commit }: SourceState): Promise<SourceState> {
  await setBranch(repo, 'main', commit);
  return { ...(await readCommits(repo, [commit]))[0], project, branch: 'main', commit } as SourceState;
}

/** A commit on the branch, on top of what is there. */
export async function merged(world: World, data: string): Promise<SourceState> {
  const tip = await world.host.branchTip(project, 'main');
  const state = await push(world, data, tip === null ? [] : [tip]);
  await setBranch(world.repo, 'main', state.commit);
  return state;
}

export interface BuildRequest {
  readonly format?: PackageFormat;
  readonly sample?: Partial<Sample>;
  readonly source: SourceState;
  readonly inputs?: PackagesManifest['environment']['inputs'];
  /** Changes the manifest after the worker has signed for it. */
  readonly forge?: (manifest: PackagesManifest) => PackagesManifest;
}

/** A build for an item of the gate that took over what a build of check made, as a worker signs for it. */
export async function reuse(
  world: World,
  manifest: string,
  lie: (manifest: PackagesManifest) => PackagesManifest = (same) => same,
): Promise<string> {
  const { attestation: _, ...made } = await readManifest(world.store, manifest);
  const reused = { build: made.build, manifest, item: made.item ?? itemIn('check') };
  const again = lie({ ...made, build: 'b2', item: itemIn('gate'), reused });
  return storeManifest(world, attest(world.builder, again));
}

export function itemIn(pipeline: string): BuildItem {
  return { tenant: 'main', pipeline, change: 'git:4', patchset: 2, buildSet: '1.1', job: 'build-deb', attempt: 1 };
}

/** Builds a package that holds what the source's file `data` says, as a worker would; answers with the manifest's digest. */
export async function build(world: World, request: BuildRequest): Promise<string> {
  const { format = 'deb', source, inputs = [], forge = (same) => same } = request;
  const { commit } = source;
  const data = await must('git', [`--git-dir=${world.repo}`, 'cat-file', 'blob', `${commit}:data`]);
  const files = { '/usr/share/alpha/data': data.stdout };
  const sample = { name: 'alpha', version: '1.0-1', files, ...request.sample };
  const file = await makePackage(format, world.directory, sample);
  const { name, version, arch } = await repositoryFormats[format].inspect(file);
  const ref = await world.store.put({ path: file });
  const platform = format === 'deb' ? 'debian-12' : 'rpm-debian-12';
  const manifest: PackagesManifest = {
    ...{ format, platform },
    source: { ...source, name, version },
    files: [{ ...ref, name: file.split('/').at(-1) ?? '', kind: 'binary', package: name, version, arch }],
    environment: { image: 'sha256:0', packages: [], repositories: inputs.map(({ url }) => url), inputs },
    ...{ started: '2026-01-01T00:00:00Z', finished: '2026-01-01T00:01:00Z', build: 'b1' },
    ...{ inputsDigest: `sha256:${'1'.repeat(64)}`, item: itemIn('check') },
  };
  return storeManifest(world, forge(await world.attestor.attest(manifest)));
}

/** Adds packages to what a build made, as the worker would have signed it. */
export async function withPackages(world: World, digest: string, samples: readonly Sample[]): Promise<string> {
  const { attestation: _, ...manifest } = await readManifest(world.store, digest);
  const added = samples.map(async (sample) => {
    const file = await makePackage(manifest.format, world.directory, { source: manifest.source.name, ...sample });
    const { name, version, arch } = await repositoryFormats[manifest.format].inspect(file);
    const ref = await world.store.put({ path: file });
    return { ...ref, name: basename(file), kind: 'binary' as const, package: name, version, arch };
  });
  const files = [...manifest.files, ...(await Promise.all(added))];
  return storeManifest(world, attest(world.builder, { ...manifest, files }));
}

export async function storeManifest(world: World, manifest: PackagesManifest): Promise<string> {
  return (await world.store.put(JSON.stringify(manifest))).digest;
}

export function inputFor(manifest: string, merged: SourceState): ReleaseInput {
  const change = { change: 'I1', patchset: 1, project: merged.project, branch: merged.branch };
  return { tenant: 'main', ...change, merged, manifests: [manifest], buildSet: 'bs' };
}

/** A release job about a state, as a build set, or a person who starts one by hand, writes it. */
export function releaseJob(source: SourceState, format: PackageFormat = 'deb'): StageInput {
  const { build: identity, ...rest } = stageInput(format, { stage: 'release', source });
  const { project: name, branch } = source;
  return { ...rest, build: { ...identity, project: name, branch } };
}

/** Records that a job has built, as the planner finds it. */
export async function record(world: World, manifest: string): Promise<void> {
  const { format, platform, source } = await readManifest(world.store, manifest);
  const about = { type: 'packages', format, platform, manifest, project: source.project };
  const metadata = { ...about, name: source.name, version: source.version };
  const artifacts = [{ name: 'packages', url: world.store.url(manifest, 'packages.json'), metadata }];
  world.builds.unshift({ stage: 'build', artifacts } as unknown as BuildRecord);
}

/** The second half of a release, step by step as the workflow takes them. @returns why it was refused, if it was */
export async function publish(world: World, about: ReleaseInput, release = 'r1') {
  const { activities, signer } = world;
  const { merged, manifests } = about;
  const [own, ...beside] = await Promise.all(manifests.map((manifest) => prepare(world, about, { release, manifest })));
  if (own === undefined) throw new Error('there is nothing to release');
  const { format } = own;
  const staged = await activities.stageReleased({ ...own, ...(beside.length === 0 ? {} : { beside }) });
  if (staged.outcome === 'refused') return { refused: staged.reason };
  if (staged.outcome === 'unchanged') return {};
  const { repository = format } = staged;
  const signatures = await signer.signIndex({ ...indexesOf(staged), repository });
  const { refused, published } = await activities.publishReleased({ ...staged, format, signatures, merged });
  if (refused === undefined && !published) throw new Error('another release came between');
  if (refused !== undefined) return { refused };
  return staged.notes === undefined || staged.notes.length === 0 ? {} : { notes: staged.notes };
}

/** A build that is signed, with its statements. */
async function prepare(
  { activities, signer }: World,
  about: ReleaseInput,
  of: { readonly release: string; readonly manifest: string },
) {
  const { format, files } = await activities.releasedFiles(of);
  const signed = await signer.signPackages({ format, files, manifest: of.manifest, commit: about.merged.commit });
  const step = { ...of, signed };
  return {
    ...step,
    format,
    envelopes: await signer.signStatements({ digests: await activities.attest({ ...step, about }) }),
  };
}

/** What the signer is to sign, as the workflow asks. */
export function indexesOf({ index, also }: Extract<StagedRelease, { outcome: 'staged' }>) {
  return { digest: index.digest, ...(also === undefined ? {} : { also }) };
}

/** A whole release, as the workflow runs it but for building again. @returns what came out, or why not */
export async function runRelease(world: World, job: StageInput): Promise<string> {
  const { input, refused } = await world.plan(job);
  if (refused !== undefined) return refused;
  const { promote, rebuild } = await world.activities.collect(input);
  if (!promote[0]) return `to build again: ${rebuild[0]?.reason ?? 'nothing was built'}`;
  const name = `r-${input.merged.commit.slice(0, 12)}`;
  const done = await publish(world, { ...input, manifests: [promote[0].manifest] }, name);
  return done.refused ?? 'released';
}

/** What the packages in the released repository hold, one text each. */
export async function shown(world: World, format: PackageFormat = 'deb'): Promise<string[]> {
  const tree = join(world.released, format);
  const there = await repositoryFormats[format].list(tree).catch(() => []);
  const texts = there.map(({ path }) => dataOf(join(tree, path)));
  return Promise.all(texts);
}

async function dataOf(path: string): Promise<string> {
  const args = path.endsWith('.deb')
    ? ['-c', 'dpkg-deb --fsys-tarfile "$0" | tar -xO ./usr/share/alpha/data', path]
    : ['-c', 'rpm2cpio "$0" | cpio --quiet -i --to-stdout ./usr/share/alpha/data', path];
  return (await must('sh', args)).stdout;
}

/** The statement beside a released file. */
export function readStatement(world: World, format: PackageFormat, file: string): Promise<string> {
  return readFile(join(world.released, format, 'provenance', `${file}.intoto.jsonl`), 'utf8');
}
