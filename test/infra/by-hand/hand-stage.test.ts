import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { pack } from '../../../activities/nodes/pack.ts';
import type { StageContext } from '../../../activities/ports.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { createHandStage } from '../../../infra/by-hand/hand-stage.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { HandRequest } from '../../../pipelines/by-hand/request.ts';
import type { StageInput } from '../../../workflows/contract.ts';
import { temporary } from '../../activities/repository/packages.ts';

/** Runs a request that needs no machine, with a file called `some` sent along. */
async function runStage(t: TestContext, request: HandRequest) {
  const root = await temporary(t);
  const [sent, workdir] = [join(root, 'sent'), join(root, 'work')];
  for (const directory of [sent, workdir]) await mkdir(directory);
  await writeFile(join(sent, 'some'), 'text');
  const store = createFileBlobStore({ root: join(root, 'storage'), baseUrl: 'http://127.0.0.1' });
  const { digest } = await store.put(await buffer((await pack(sent)).archive));
  const stage = createHandStage({ store, data: root, platforms: builtInPlatforms, reach: async (url) => url });
  const input = { vars: { hand: { request, content: digest } }, nodes: [{ name: 'node', label: 'debian-12' }] };
  const machine = async () => assert.fail('no machine is needed');
  const context = { workdir, lease: { machine }, log: { write: () => {} }, signal: AbortSignal.any([]) };
  return stage(input as unknown as StageInput, context as unknown as StageContext);
}

const packages = ['hello'];

test('what is no repository is refused by the name that it was given', async (t) => {
  const wish = { platform: 'debian-12', repository: './repo', sent: true, packages, timeout: 1_000 };
  const { result, summary, artifacts } = await runStage(t, { kind: 'install-test', ...wish });
  assert.deepEqual([result, artifacts], ['FAILURE', []]);
  assert.match(summary, /^\.\/repo /);
});

test('what is no export is refused', async (t) => {
  const { result, summary } = await runStage(t, { kind: 'import', dryRun: true, keep: false });
  assert.equal(result, 'FAILURE');
  assert.match(summary, /export\.json/);
});
