import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Client } from '@temporalio/client';
import { EngineUnavailable } from '../../../activities/nodes/engine-unavailable.ts';
import { addressed } from '../../../infra/common/addressed.ts';
import { createCommon } from '../../../infra/common/common.ts';
import { requireOwnName } from '../../../infra/compose/apart-worker.ts';
import { createRuns } from '../../../infra/compose/workers-desk.ts';
import { loadConfig } from '../../../infra/config/load.ts';
import { standalone } from '../../../infra/stack/settings.ts';
import { findWorker, makeWorkerToken } from '../../../infra/stack/worker-tokens.ts';
import type { BuildRecord, StageInput } from '../../../workflows/contract.ts';

test('each worker has a token, which ends with its file', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'sluice-tokens-'));
  t.after(() => rm(data, { recursive: true }));
  assert.equal(await findWorker(data, 'x'), undefined);
  const [file, other] = [await makeWorkerToken(data, 'far-1'), await makeWorkerToken(data, 'far-2')];
  assert.equal(await makeWorkerToken(data, 'far-1'), file);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await writeFile(other, 'theirs\n');
  await writeFile(join(data, 'workers', '.hidden'), 'hidden');
  await writeFile(join(data, 'workers', 'empty'), '');
  assert.equal(await findWorker(data, 'theirs'), 'far-2');
  for (const token of ['hidden', '', 'their', 'theirs2']) assert.equal(await findWorker(data, token), undefined, token);
  await rm(other);
  assert.equal(await findWorker(data, 'theirs'), undefined);
});

test('a worker runs the builds that Temporal says it has in work, until they end', async () => {
  const pending = new Map([
    ['job/1', ['worker/far']],
    ['job/2', ['worker/near', '17@host']],
    ['job/3', []],
  ]);
  let asked = 0;
  const client = {
    workflow: {
      getHandle: (workflow: string) => ({
        async describe() {
          asked += 1;
          const identities = pending.get(workflow) ?? [];
          return { raw: { pendingActivities: identities.map((lastWorkerIdentity) => ({ lastWorkerIdentity })) } };
        },
      }),
    },
  } as unknown as Client;
  const build = (workflow: string, endTime: number | null = null) => ({ workflow, endTime }) as BuildRecord;
  const builds = new Map([
    ['mine', build('job/1')],
    ['ended', build('job/1', 1)],
    ['theirs', build('job/2')],
    ['waiting', build('job/3')],
  ]);
  const runs = createRuns(client, { findBuild: async (id) => builds.get(id) });
  const said = await Promise.all([...builds.keys(), 'none'].map((id) => runs('far', { build: id })));
  assert.deepEqual(said, [true, false, false, false, false]);
  assert.deepEqual(
    [
      await runs('far', { workflow: 'job/1' }),
      await runs('fa', { workflow: 'job/1' }),
      await runs('far', { workflow: 'x' }),
    ],
    [true, false, false],
  );
  const before = asked;
  assert.equal(await runs('far', { build: 'mine' }), true);
  assert.equal(asked, before, 'a log comes in many parts');
});

const artifactsIn = (...urls: readonly string[]) => urls.map((url) => ({ name: 'x', url }));
const trees = { has: async (name: string) => ['c-1', 'd-1'].includes(name) };

test('test repositories are where the containers of the worker find them, and nothing else is touched', async () => {
  const input = {
    parents: artifactsIn('https://a.example/ci/repositories/test/c-1/', 'https://a.example/api/artifacts/0/x'),
    provided: artifactsIn('http://172.17.0.1:1/repositories/test/d-1', 'http://c/repositories/test/a/'),
    vars: { url: 'https://a.example/repositories/test/c-1/' },
  } as unknown as StageInput;
  const base = async () => 'http://b:2/repositories/test/';
  const { parents, provided, vars } = await addressed(input, { trees, base });
  assert.deepEqual(
    [...parents, ...provided].map(({ url }) => url),
    [
      'http://b:2/repositories/test/c-1/',
      'https://a.example/api/artifacts/0/x',
      'http://b:2/repositories/test/d-1/',
      'http://c/repositories/test/a/',
    ],
  );
  assert.deepEqual(vars, input.vars);
});

test('a job waits for the engine that says where its containers find test repositories, and only if it needs one', async () => {
  const base = () => Promise.reject(EngineUnavailable.away('look', 'it is stopped'));
  const input = (url: string) => ({ parents: artifactsIn(url), provided: [] }) as unknown as StageInput;
  await assert.rejects(addressed(input('https://a.example/repositories/test/c-1/'), { trees, base }), {
    name: 'ApplicationFailure',
    type: 'EngineUnavailable',
    nonRetryable: false,
  });
  const other = input('https://a.example/api/artifacts/0/x');
  assert.deepEqual(await addressed(other, { trees, base }), other);
});

test('test repositories are named by the address of people, in whatever they read', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'sluice-named-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const file = join(data, 'sluice.yaml');
  const server = { url: 'https://ci.example', containerUrl: 'http://inside:1' };
  await writeFile(file, JSON.stringify({ data: './data', server }));
  const { trees: shown, released } = createCommon(standalone(loadConfig({ file })));
  assert.equal(await shown.url('c-1-deb'), 'https://ci.example/repositories/test/c-1-deb/');
  assert.equal(await released.url('deb'), 'http://inside:1/released/deb', 'jobs alone are told of it');
});

test('I10: a worker on a machine that is called as a host of virtual machines is does not start', () => {
  assert.throws(
    () => requireOwnName({ hosts: ['big-1'] }, 'big-1'),
    /^Error: this machine is called big-1, as one of the/,
  );
  requireOwnName({ hosts: ['big-1'] }, 'far-1');
  requireOwnName({}, 'big-1');
});
