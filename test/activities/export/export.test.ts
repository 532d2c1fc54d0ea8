import assert from 'node:assert/strict';
import { appendFile, link, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkExport } from '../../../activities/export/check.ts';
import { entriesIn } from '../../../activities/export/files.ts';
import { gatherExport } from '../../../activities/export/gather.ts';
import { packExport } from '../../../activities/export/pack.ts';
import { takeBundle } from '../../../activities/git/bundle.ts';
import { createLocalGit } from '../../../activities/git/local.ts';
import { unpack } from '../../../activities/nodes/unpack.ts';
import { must } from '../../../activities/process/run.ts';
import { makeTestTree } from '../../../activities/publish/publish-stage.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { createTreeStore } from '../../../activities/storage/filesystem/tree-store.ts';
import type { PackagesManifest } from '../../../pipelines/model/artifact.ts';
import type { JobGraph, ProvidedArtifact } from '../../../pipelines/model/job.ts';
import { frozenJob } from '../../workflows/make.ts';
import { canary, makeSample, onNode, type Sample } from '../export-sample.ts';
import { makePackage } from '../repository/packages.ts';

const secret = { name: 'login', secret: 'mirror-login', passToParent: false, project: 'lib/alpha' };
const sealed = { secrets: [{ ...secret, encrypted: `sha256:${canary}` }], seal: canary };
const graph: JobGraph = {
  jobs: [onNode(frozenJob('build-deb', { uses: 'build' })), onNode(frozenJob('say', { ...sealed, voting: false }))],
  failFast: false,
  warnings: [],
};

async function exported(t: TestContext, prepare: (sample: Sample) => unknown = () => {}) {
  const sample = await makeSample(t, graph, ['say']);
  await prepare(sample);
  const out = join(sample.root, 'out');
  await mkdir(out);
  await gatherExport(sample.deps, sample.record, out);
  return { ...sample, out };
}

test('an archive of it is taken out whole, though files of a repository are linked to each other', async (t) => {
  const { out, root } = await exported(t);
  const names = ['one', 'two'].map((name) => join(out, name));
  await writeFile(names[0] ?? '', 'the same');
  await link(names[0] ?? '', names[1] ?? '');
  const { archive, ended } = await packExport(out);
  const there = join(root, 'unpacked');
  await mkdir(there);
  await Promise.all([unpack(archive, there, { files: 100, bytes: 1_000_000 }), ended]);
  assert.deepEqual(await entriesIn(there), await entriesIn(out));
  assert.equal(await readFile(join(there, 'two'), 'utf8'), 'the same');
});

test('what a build set worked with is gathered: jobs, sources, repositories, results', async (t) => {
  const { out, source, root } = await exported(t);
  const description = await checkExport(out);
  assert.deepEqual(Object.keys(description.files), [
    'README.md',
    'archive-key.asc',
    'graph.json',
    ...[`manifests/${description.manifests[0]?.digest.replace(':', '-')}.json`],
    'released/deb/dists/bookworm/Release',
    'repositories/i1-1-deb/dists/bookworm/Release',
    'repositories/i1-1-deb/pool/a+b_1~2.deb',
    'sources/lib-alpha-1.bundle',
  ]);
  assert.deepEqual(description.released, [{ repository: 'deb', path: 'released/deb' }]);
  assert.deepEqual(
    description.jobs.map(({ key, result, voting, paused, secrets }) => ({ key, result, voting, paused, secrets })),
    [
      { key: 'build-deb', result: 'SUCCESS', voting: true, paused: false, secrets: [] },
      { key: 'say', result: 'FAILURE', voting: false, paused: false, secrets: ['mirror-login'] },
    ],
  );
  const there = createLocalGit(join(root, 'elsewhere'));
  await takeBundle(join(root, 'elsewhere'), 'lib/alpha', join(out, 'sources/lib-alpha-1.bundle'));
  assert.equal((await there.resolve('lib/alpha', source.commit)).tree, source.tree);
  assert.notEqual(await there.branchTip('lib/alpha', 'main'), source.commit);
  await must('git', ['clone', '-q', join(out, 'sources/lib-alpha-1.bundle'), join(root, 'clone')]);
  assert.equal(await readFile(join(root, 'clone', 'start'), 'utf8'), 'two\n');
});

test('no secret is in an export, and nothing that leads to one', async (t) => {
  const { out } = await exported(t);
  for (const { path } of await entriesIn(out)) {
    assert.ok(!(await readFile(join(out, path))).includes(canary), path);
  }
  assert.match(await readFile(join(out, 'README.md'), 'utf8'), /Jobs need these: mirror-login/);
});

for (const [what, prepare, says] of [
  ['the history', ({ inputs }) => inputs.clear(), /^NotKept: Temporal keeps no history of buildset\/main/],
  ['the jobs', ({ root }) => rm(join(root, 'storage'), { recursive: true }), /^NotKept: the jobs of build set 2\.1-aa/],
  [
    'a state',
    ({ root }) => rm(join(root, 'git'), { recursive: true }),
    /^NotKept: the state [0-9a-f]{40} of lib\/alpha/,
  ],
  [
    'a submodule',
    ({ deps }) => Object.assign(deps, { modules: () => Promise.reject(new Error('its host is away')) }),
    /^NotKept: the state [0-9a-f]{40} of lib\/alpha has a submodule that cannot be had: its host is away/,
  ],
  ['what was released', ({ root }) => rm(join(root, 'released'), { recursive: true }), /^NotKept: the state 000007 of/],
  ['what was offered', ({ root }) => rm(join(root, 'test'), { recursive: true }), /^NotKept: the test repository i1-1/],
] as readonly [string, (sample: Sample) => unknown, RegExp][]) {
  test(`nothing is exported where ${what} is not kept any more`, async (t) => {
    await assert.rejects(exported(t, prepare), says);
  });
}

/** Has the offered repository be a real one, made of what a build has stored, and signed by a key. */
async function offerStored({ root, inputs }: Sample): Promise<void> {
  const blobs = createFileBlobStore({ root: join(root, 'storage'), baseUrl: '' });
  const trees = createTreeStore({ root: join(root, 'test'), baseUrl: async () => 'http://there/repositories/test' });
  const file = await makePackage('deb', root, { name: 'beta', version: '1-1' });
  const binary = { name: basename(file), kind: 'binary', package: 'beta', version: '1-1', arch: 'all' } as const;
  const manifest = {
    ...{ format: 'deb', platform: 'debian-12', files: [{ ...binary, ...(await blobs.put({ path: file })) }] },
    finished: '2026-01-01T00:01:00Z',
  } as unknown as PackagesManifest;
  const { digest } = await blobs.put(JSON.stringify(manifest));
  const tree = join(root, 'made');
  await makeTestTree(blobs, { manifest, codename: 'bookworm', work: join(root, 'packages'), tree });
  await trees.remove('i1-1-deb');
  await trees.publish('i1-1-deb', tree);
  for (const input of inputs.values()) {
    for (const one of (input as { provided?: ProvidedArtifact[] }).provided ?? []) {
      Object.assign(one.metadata ?? {}, { manifest: digest, key: 'KEY' });
    }
  }
}

test('a repository that is gone, as its packages were released since, is made again, the same without a signature', async (t) => {
  const { root, out, deps, record } = await exported(t, offerStored);
  await rm(join(root, 'test'), { recursive: true });
  const again = join(root, 'again');
  await mkdir(again);
  await gatherExport(deps, record, again);
  const [before, after] = await Promise.all([out, again].map((each) => checkExport(each)));
  const filesOf = (of: typeof before) =>
    Object.entries(of?.files ?? {}).filter(([path]) => path.startsWith('repositories/'));
  assert.deepEqual(filesOf(after), filesOf(before));
  assert.ok(filesOf(after).some(([path]) => path.endsWith('/beta_1-1_all.deb')));
  const keysOf = (of: typeof before) =>
    of?.jobs.map(({ offered }) => offered?.map(({ metadata }) => (metadata as { key?: string }).key));
  assert.deepEqual(
    [keysOf(before), keysOf(after)],
    [
      [['KEY'], ['KEY']],
      [[undefined], [undefined]],
    ],
  );
  assert.deepEqual(after?.manifests, before?.manifests);
});

test('nothing is exported where a repository is gone, and a package that it was made of, too', async (t) => {
  const prepare = async (sample: Sample) => {
    await offerStored(sample);
    await rm(join(sample.root, 'test'), { recursive: true });
    const blobs = createFileBlobStore({ root: join(sample.root, 'storage'), baseUrl: '' });
    const { fetch: _, ...rest } = blobs;
    const fetch = () => Promise.reject(new Error('no such blob'));
    Object.assign(sample.deps, { blobs: { ...rest, fetch } });
  };
  const says =
    /^NotKept: the test repository i1-1-deb, .* is not kept any more, and cannot be made again: no such blob$/;
  await assert.rejects(exported(t, prepare), says);
});

const damages: readonly [string, (out: string) => Promise<unknown>, RegExp][] = [
  ['a changed byte', (out) => changeByte(join(out, 'graph.json')), /^graph\.json: it is damaged/],
  ['a longer file', (out) => appendFile(join(out, 'graph.json'), ' '), /^graph\.json: it has \d+ bytes, not \d+$/],
  ['a missing file', (out) => rm(join(out, 'README.md')), /^README\.md: it is missing$/],
  ['a file too many', (out) => writeFile(join(out, 'more'), ''), /^more: export\.json does not name it$/],
  ['a link for a file', (out) => relink(join(out, 'README.md')), /^README\.md: it is a link/],
  ['a link for a directory', (out) => relink(join(out, 'released')), /^released: it is a link/],
  ['no description', (out) => rm(join(out, 'export.json')), /is no export: it has no file export\.json$/],
  ['a broken description', (out) => writeFile(join(out, 'export.json'), '{'), /^export\.json: Expected property name/],
  [
    'a newer version',
    (out) => edit(out, (text) => text.replace('"version": 1', '"version": 2')),
    /of version 2.*newer/,
  ],
  ['a path that leads out', (out) => edit(out, (text) => text.replaceAll('"README.md"', '"../up"')), /no path below/],
  ['a graph elsewhere', (out) => edit(out, (text) => text.replace('"graph.json"', '"x.json"')), /x\.json is not among/],
  [
    'a queue of no name',
    (out) => edit(out, (text) => text.replace('"queue": "lib/alpha"', '"queue": ""')),
    /^export\.json: buildSet\.queue/,
  ],
];
for (const [what, damage, says] of damages) {
  test(`an export with ${what} is refused, and the file named`, async (t) => {
    const { out } = await exported(t);
    await damage(out);
    await assert.rejects(checkExport(out), (error: Error) => {
      assert.equal(error.name, 'BadExport');
      assert.match(error.message, says);
      return true;
    });
  });
}

async function edit(out: string, change: (text: string) => string): Promise<void> {
  const path = join(out, 'export.json');
  const text = await readFile(path, 'utf8');
  assert.notEqual(change(text), text);
  await writeFile(path, change(text));
}

async function changeByte(path: string): Promise<void> {
  const content = await readFile(path);
  content[0] = (content[0] ?? 0) ^ 1;
  await writeFile(path, content);
}

async function relink(path: string): Promise<void> {
  await rm(path, { recursive: true });
  await symlink('/etc', path);
}
