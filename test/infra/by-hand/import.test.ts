import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkExport } from '../../../activities/export/check.ts';
import { measure } from '../../../activities/export/files.ts';
import { gatherExport } from '../../../activities/export/gather.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import { must } from '../../../activities/process/run.ts';
import { importByHand, planOf } from '../../../infra/by-hand/import.ts';
import { createDoor } from '../../../infra/by-hand/import-door.ts';
import { givenSecrets, type ImportHere, readSecretData } from '../../../infra/by-hand/import-here.ts';
import { type CheckedExport, checkSources, placeExport, readJobs } from '../../../infra/by-hand/import-place.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { importedNodes } from '../../../pipelines/by-hand/import-nodes.ts';
import type { JobGraph } from '../../../pipelines/model/job.ts';
import { canary, makeSample, onNode } from '../../activities/export-sample.ts';
import { frozenJob } from '../../workflows/make.ts';

/** An installation that has nothing for jobs but a platform. */
const nothing: ImportHere = {
  ...{ platform: () => builtInPlatforms[0], secrets: new Map(), unprepared: () => undefined },
};
const url = async () => 'http://here';
const secret = { name: 'login', secret: 'mirror-login', passToParent: false, project: 'lib/alpha' };
const build = onNode(frozenJob('build-deb', { uses: 'build' }));
const noop = frozenJob('noop');
const release = onNode(frozenJob('release-deb', { uses: 'release' }));
const login = onNode(frozenJob('login', { run: [], preRun: [], postRun: [], uses: 'lint', secrets: [secret] }));

async function exported(t: TestContext, jobs: JobGraph['jobs']) {
  const sample = await makeSample(t, { jobs, failFast: false, warnings: [] });
  const out = join(sample.root, 'out');
  await mkdir(out);
  await gatherExport(sample.deps, sample.record, out);
  return { ...sample, out };
}

/** Changes a file of an export, and what `export.json` says of it. */
async function forge(out: string, path: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(join(out, path), 'utf8');
  assert.notEqual(change(text), text);
  await writeFile(join(out, path), change(text));
  const description = JSON.parse(await readFile(join(out, 'export.json'), 'utf8'));
  description.files[path] = await measure(join(out, path));
  await writeFile(join(out, 'export.json'), JSON.stringify(description));
}

async function read(out: string): Promise<CheckedExport> {
  return readJobs(out, await checkExport(out));
}

test('an export is placed as an installation has it', async (t) => {
  const { out, root, source } = await exported(t, [build]);
  const place = await placeExport(await read(out), join(root, 'place'), url);
  assert.deepEqual(place.seen, { deb: '000001' });
  assert.equal(await place.released.current('deb'), '000001');
  assert.deepEqual(await place.released.list({ repository: 'deb', generation: '000001' }), ['dists/bookworm/Release']);
  assert.equal(await place.trees.url('i1-1-deb'), 'http://here/repositories/test/i1-1-deb/');
  assert.deepEqual(await place.trees.paths('i1-1-deb'), ['dists/bookworm/Release', 'pool/a+b_1~2.deb']);
  await place.git.exportTree(source, join(root, 'tree'));
  assert.equal(await readFile(join(root, 'tree', 'start'), 'utf8'), 'two\n');
  assert.equal(await readFile(join(root, 'tree', 'vendor', 'inner'), 'utf8'), 'inner\n', 'a submodule');
  await checkExport(out);
});

test('the sizes of nodes are read as they were exported, also where nobody knows yet which jobs had paused', async (t) => {
  const size = { cores: 6, ramGb: 12 };
  const [node] = build.nodeset.nodes;
  const large = { ...build, nodeset: { ...build.nodeset, nodes: [{ name: ['n'], label: '', ...node, size }] } };
  const { out } = await exported(t, [large]);
  const file = join(out, 'export.json');
  const description = JSON.parse(await readFile(file, 'utf8'));
  for (const job of description.jobs) delete job.paused;
  await writeFile(file, JSON.stringify(description));
  const { stored, description: older } = await read(out);
  assert.deepEqual(importedNodes(stored.graph, older.jobs), [
    { nodesets: [[{ label: node?.label, size }]], stays: false },
  ]);
});

test('containers find the released and the test repositories of an export, and nothing else', async (t) => {
  const { out, root } = await exported(t, [build]);
  const home = join(root, 'place');
  await mkdir(home);
  const door = await createDoor(home);
  const place = await placeExport(await read(out), home, door.url);
  const close = await door.open(place.released);
  t.after(close);
  const [repository, offered] = [await place.released.url('deb', '000001'), await place.trees.url('i1-1-deb')];
  const status = async (address: string) => (await fetch(address)).status;
  const text = async (address: string) => (await fetch(address)).text();
  assert.equal(await text(`${repository}/dists/bookworm/Release`), 'Origin: Sluice\n');
  assert.equal(await text(`${offered}dists/bookworm/Release`), 'Origin: Sluice test\n');
  assert.equal(await text(`${offered}pool/a%2bb_1~2.deb`), 'deb');
  for (const path of ['/git/lib/alpha.git/HEAD', '/repositories/..%2fgit/lib/alpha.git/HEAD', '/api/status'])
    assert.equal(await status(`${await door.url()}${path}`), 404, path);
});

const graphFaults: readonly [string, (text: string) => string, RegExp][] = [
  ['a project that leads out', (text) => text.replaceAll('lib/alpha', '../alpha'), /cannot be a project's name/],
  ['a branch that leads out', (text) => text.replaceAll('"main"', '"../main"'), /cannot be a branch here/],
  ['a stage that there is not', (text) => text.replace('"build"', '"rebuild"'), /graph\.json: graph\.jobs\.0\.uses/],
  ['what is no JSON', (text) => text.slice(1), /^graph\.json: .*JSON/],
  [
    'a job that the description lacks',
    (text) => text.replaceAll('"build-deb"', '"build-x"'),
    /do not name build-x of graph/,
  ],
  ['no sources', (text) => text.replace(/"sources": \[[^\]]*\]/, '"sources": []'), /graph\.json: sources: /],
];
for (const [what, change, says] of graphFaults) {
  test(`a graph with ${what} is refused`, async (t) => {
    const { out } = await exported(t, [build]);
    await forge(out, 'graph.json', change);
    await assert.rejects(read(out), (error: Error) => error.name === 'BadExport' && says.test(error.message));
  });
}

test('a state whose tree is another one is refused, and so is a commit that is not there', async (t) => {
  const { out, root, source } = await exported(t, [build]);
  for (const [id, says] of [
    [source.tree, `${source.commit} of lib/alpha has the tree ${source.tree}, not ${'0'.repeat(40)}`],
    [source.commit, `the bundle of lib/alpha does not have the commit ${'0'.repeat(40)}`],
  ] as const) {
    await forge(out, 'graph.json', (text) => text.replaceAll(id, '0'.repeat(40)));
    await assert.rejects(placeExport(await read(out), join(root, id), url), { name: 'BadExport', message: says });
    await forge(out, 'graph.json', (text) => text.replaceAll('0'.repeat(40), id));
  }
});

test('a bundle that git cannot read is refused', async (t) => {
  const { out, root } = await exported(t, [build]);
  await forge(out, 'sources/lib-alpha-1.bundle', () => 'no bundle');
  const says = /BadExport: sources.*git cannot read it/;
  await assert.rejects(placeExport(await read(out), join(root, 'place'), url), says);
  await assert.rejects(checkSources(await read(out)), says);
});

test('a secret is read from a file, and no message quotes it', async (t) => {
  const { root } = await exported(t, [build]);
  const file = join(root, 'secret');
  await writeFile(file, 'user: ann\npassword: hunter2\nports: [21, true]\n');
  const data = await readSecretData(file);
  const request = {
    build: 'b',
    job: 'login',
    sources: [],
    secrets: { playbooks: [], exposure: 'redact', seal: '' },
  } as const;
  const uses = [{ secret: 'mirror-login', project: 'lib/alpha', encrypted: '' }];
  const open = givenSecrets(new Map([['mirror-login', data]]));
  const opened = await open({ ...request, secrets: { ...request.secrets, uses } });
  assert.deepEqual(opened, [{ secret: 'mirror-login', data, values: ['ann', 'hunter2'] }]);
  for (const text of ['hunter2', '- hunter2', 'a: [hunter2', '']) {
    await writeFile(file, text);
    await assert.rejects(readSecretData(file), (error: Error) => {
      assert.match(error.message, /secret must be a mapping/);
      return !error.message.includes('hunter2');
    });
  }
  await assert.rejects(readSecretData(join(root, 'none')), /none cannot be read: ENOENT/);
});

test('a job whose secrets are given runs with them, and nothing of them stays', async (t) => {
  const at = { project: 'lib/alpha', branch: 'main', trusted: false, level: 0, semaphores: [], cleanup: false };
  const program = { ...at, path: 'login.sh', secrets: [{ name: 'login', secret: 'mirror-login' }] };
  const job = onNode(frozenJob('login', { run: [program], secrets: [{ ...secret, encrypted: canary }], attempts: 1 }));
  const { out, root } = await exported(t, [job]);
  const of = await read(out);
  const runWith = (password: string) =>
    importByHand({
      ...{
        of,
        here: { ...nothing, secrets: new Map([['mirror-login', { password }]]) },
        imports: join(root, 'imports'),
      },
      ...{ machines: () => openProvider('docker'), slots: 1, keep: true },
      ...{ signal: new AbortController().signal, onProgress: () => {} },
    });
  const good = await runWith('hunter2');
  assert.deepEqual([good.jobs[0]?.here, good.same, good.lacks], ['SUCCESS', true, []], good.jobs[0]?.summary);
  const bad = await runWith('swordfish');
  assert.deepEqual([bad.jobs[0]?.here, bad.same], ['FAILURE', false]);
  assert.match(await readFile(join(good.directory, 'logs', 'login-1.log'), 'utf8'), /"password": ?"\[secret\]"/);
  await assert.rejects(must('grep', ['-rE', 'hunter2|swordfish', good.directory, bad.directory, '--exclude-dir=git']));
});

test('what would run is said: no release, nothing that needs a secret or virtual machines', async (t) => {
  const { out } = await exported(t, [build, noop, release, login]);
  const of = await read(out);
  const [platform] = builtInPlatforms;
  const plan = (provider: 'docker' | 'vm' | 'static', more: Partial<ImportHere> = {}) =>
    planOf(of, { ...nothing, platform: () => platform && { ...platform, provider }, ...more }).map(
      ({ job, runs, reason }) => [job, runs, reason],
    );
  const left = 'nothing imported is released: this is for merged changes alone';
  const lacks = 'it needs what no export has: the secret mirror-login: give it by --secret mirror-login=FILE';
  assert.deepEqual(plan('docker'), [
    ['build-deb', true, null],
    ['noop', true, null],
    ['release-deb', false, left],
    ['login', false, lacks],
  ]);
  assert.deepEqual(plan('docker', { secrets: new Map([['mirror-login', {}]]) })[3], ['login', true, null]);
  assert.deepEqual(plan('vm')[0], ['build-deb', true, null]);
  assert.deepEqual(plan('vm', { unprepared: ({ name }) => `none of ${name}` })[0]?.[2], 'none of debian-12');
  assert.match(String(plan('static')[0]?.[2]), /^the nodes of debian-12 are static machines/);
});

test('jobs that are not run have results, too, and what is left holds no key', async (t) => {
  const { out, root } = await exported(t, [noop, release, login]);
  const result = await importByHand({
    ...{ of: await read(out), here: nothing, imports: join(root, 'imports'), slots: 1 },
    machines: () => openProvider('docker'),
    ...{ keep: true, signal: new AbortController().signal, onProgress: () => {} },
  });
  assert.deepEqual(
    result.jobs.map(({ job, exported: there, here, same }) => [job, there, here, same]),
    [
      ['noop', 'SUCCESS', 'SUCCESS', true],
      ['release-deb', 'SUCCESS', 'SKIPPED', null],
      ['login', 'SUCCESS', 'ERROR', false],
    ],
  );
  assert.equal(result.same, false);
  assert.deepEqual(result.lacks, ['mirror-login']);
  assert.deepEqual((await readdir(result.directory)).sort(), ['repositories', 'result.json', 'storage']);
});
