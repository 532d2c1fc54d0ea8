import assert from 'node:assert/strict';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { gatherExport } from '../../../activities/export/gather.ts';
import { pack } from '../../../activities/nodes/pack.ts';
import type { StageContext } from '../../../activities/ports.ts';
import { must } from '../../../activities/process/run.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { createHandStage } from '../../../infra/by-hand/hand-stage.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { HandRequest } from '../../../pipelines/by-hand/request.ts';
import type { StageInput } from '../../../workflows/contract.ts';
import { makeSample } from '../../activities/export-sample.ts';
import { temporary } from '../../activities/repository/packages.ts';
import { frozenJob } from '../../workflows/make.ts';

/** Runs a request that needs no machine, with a file called `some` and what else is made sent along. */
async function runStage(t: TestContext, request: HandRequest, make = async (_: string) => {}) {
  const root = await temporary(t);
  const [sent, workdir] = [join(root, 'sent'), join(root, 'work')];
  for (const directory of [sent, workdir]) await mkdir(directory);
  await writeFile(join(sent, 'some'), 'text');
  await make(sent);
  const store = createFileBlobStore({ root: join(root, 'storage'), baseUrl: 'http://127.0.0.1' });
  const { digest } = await store.put(await buffer((await pack(sent)).archive));
  const stage = createHandStage({
    store,
    data: root,
    platforms: builtInPlatforms,
    reach: async (url) => url,
    mirrors: [],
    holder: () => 'job',
  });
  const input = { vars: { hand: { request, content: digest } }, nodes: [{ name: 'node', label: 'debian-12' }] };
  const machine = async () => assert.fail('no machine is needed');
  const context = { workdir, lease: { machine }, log: { write: () => {} }, signal: AbortSignal.any([]) };
  await mkdir(join(root, 'imports/server/left'), { recursive: true });
  return { ...(await stage(input as unknown as StageInput, context as unknown as StageContext)), root };
}

const packages = ['hello'];

test('what is no repository is refused by the name that it was given', async (t) => {
  const wish = { platform: 'debian-12', repository: './repo', sent: true, packages, timeout: 1_000 };
  const { result, summary, artifacts } = await runStage(t, { kind: 'install-test', ...wish });
  assert.deepEqual([result, artifacts], ['FAILURE', []]);
  assert.match(summary, /^\.\/repo /);
});

test('what is no export is refused', async (t) => {
  const { result, summary } = await runStage(t, { kind: 'import', dryRun: true, jobs: [] });
  assert.equal(result, 'FAILURE');
  assert.match(summary, /export\.json/);
});

test('what another version of Sluice was asked for is refused', async (t) => {
  const { result, summary } = await runStage(t, { kind: 'import', dryRun: false } as HandRequest);
  assert.equal(result, 'ERROR');
  assert.match(summary, /^it was asked for by another version of Sluice: ask for it again/);
});

const installation = { kind: 'install-test', platform: 'debian-12', repository: './repo', sent: true } as const;
const lint = { kind: 'lint', format: 'deb' } as const;
const fifo = (sent: string) => must('mkfifo', [join(sent, 'pipe')]).then(() => {});
const out = (sent: string) => symlink('../../../../etc/passwd', join(sent, 'link'));
const inside = (sent: string) => symlink('some', join(sent, 'link'));
for (const [what, request, make, says] of [
  ['a named pipe', lint, fifo, /^"pipe" is neither a file nor a directory$/],
  ['a link to be checked', lint, inside, /^"link" is a link: files alone are taken$/],
  ['a link that leads out', { ...installation, packages, timeout: 1_000 }, out, /^"link" is a link that leads out/],
  ['no repository, with a link inside', { ...installation, packages, timeout: 1_000 }, inside, /^\.\/repo /],
] as const) {
  test(`${what}: refused`, { timeout: 120_000 }, async (t) => {
    const { result, summary } = await runStage(t, request, make);
    assert.equal(result, 'FAILURE');
    assert.match(summary, says);
  });
}

/** Imports an export with one job, which is announced to have nodes with these labels. */
async function importOne(t: TestContext, labels: readonly string[]) {
  const { deps, record } = await makeSample(t, { jobs: [frozenJob('noop')], failFast: false, warnings: [] });
  const make = async (sent: string) => {
    await rm(join(sent, 'some'));
    await gatherExport(deps, record, sent);
  };
  return runStage(t, { kind: 'import', dryRun: false, jobs: [{ nodesets: [labels], stays: false }] }, make);
}

test('an import leaves nothing but what goes back, also of one that was killed', async (t) => {
  const { result, summary, artifacts, root } = await importOne(t, []);
  assert.equal(result, 'SUCCESS', summary);
  assert.deepEqual(
    artifacts.map(({ name }) => name),
    ['output.tar'],
  );
  const { stdout } = await must('tar', ['-tf', join(root, 'work/output.tar')]);
  assert.deepEqual(stdout.trim().split('\n').sort(), ['./answer.json', './result.json']);
  assert.deepEqual(await readdir(join(root, 'imports/server')), []);
});

test('an import whose jobs have other nodes than it was lent is refused', async (t) => {
  const { result, summary } = await importOne(t, ['debian-12']);
  assert.equal(result, 'FAILURE');
  assert.match(summary, /^its jobs have other nodes than were asked for it/);
});
