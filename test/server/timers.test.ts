import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLocalGit } from '../../activities/git/local.ts';
import { createLayouts } from '../../activities/layout/layouts.ts';
import { createPrepare } from '../../activities/layout/prepare.ts';
import { timersIn } from '../../activities/layout/timers.ts';
import { createGitHost } from '../../activities/review/git/adapter.ts';
import { createSealer } from '../../activities/secrets/seal.ts';
import type { Tick } from '../../pipelines/policy/timers.ts';
import type { GateClient } from '../../server/events/gate-client.ts';
import { EventRouter } from '../../server/events/router.ts';
import type { GateMessage } from '../../workflows/contract.ts';
import { gateId } from '../../workflows/ids.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../activities/git/repository.ts';

const config = `
- job: {name: fuzz, run: tests/fuzz.sh}
- project: {nightly: {jobs: [fuzz]}}
`;

/** A project with a branch that uses `nightly`, one that does not, and what is told to gates. */
async function open(t: TestContext) {
  const root = await scratch(t);
  const repo = await bareRepository(root, 'tool');
  const main = await makeCommit(repo, { files: { 'zuul.yaml': config } });
  await setBranch(repo, 'main', main);
  await setBranch(repo, 'old', await makeCommit(repo, { files: { 'a.c': '' } }));
  const connections = { git: 'git' };
  const project = { name: 'tool', connection: 'git', trusted: false, templates: [] };
  const layouts = createLayouts({
    tenant: 'main',
    projects: () => [project],
    git: createLocalGit(root),
    connections,
  });
  const told: { gate: string; message: GateMessage }[] = [];
  const gates: GateClient = {
    tell: async (gate, message) => void told.push({ gate: gateId(gate), message }),
    inform: async () => {},
    ask: async () => ({ ok: true }),
  };
  const hosts = [createGitHost({ root, connection: 'git', page: 'http://page' })];
  const blobs = { put: async () => ({ digest: 'sha256:0', size: 0 }) };
  const ledger = { wasTold: async () => false, markTold: async () => {} };
  const router = new EventRouter({ tenant: 'main', layouts, hosts, gates, ledger, blobs, held: async () => [] });
  return { root, main, layouts, told, router };
}

async function firstTick({ layouts }: Awaited<ReturnType<typeof open>>): Promise<Tick> {
  const [timer] = timersIn(await layouts.current());
  assert.ok(timer);
  return { ...timer.tick, time: 60_000 };
}

test('each branch whose project uses a pipeline with a timer has one', async (t) => {
  const { layouts } = await open(t);
  const timers = timersIn(await layouts.current());
  assert.deepEqual(
    timers.map(({ tick }) => [tick.pipeline, tick.project, tick.branch]),
    [['nightly', 'tool', 'main']],
  );
});

test('a turn brings the branch into the gate of its pipeline, and a repeated one is the same message', async (t) => {
  const world = await open(t);
  const tick = await firstTick(world);
  await world.router.tick(tick);
  await world.router.tick(tick);
  const [first, again] = world.told;
  assert.equal(first?.gate, 'gate/main/nightly/tool');
  assert.equal(first.message.id, again?.message.id);
  assert.equal(first.message.pipeline?.name, 'nightly');
  const [observed, enqueued] = first.message.commands;
  assert.ok(observed?.type === 'observe' && enqueued?.type === 'enqueue');
  const [change] = observed.changes;
  assert.deepEqual([change?.id, change?.connection, change?.kind], ['git:tool:refs/heads/main@', 'git', 'branch']);
  assert.equal(enqueued.change, change?.key);
});

test('what a turn brings in is prepared as the branch is, with its jobs', async (t) => {
  const world = await open(t);
  await world.router.tick(await firstTick(world));
  const [observed] = world.told[0]?.message.commands ?? [];
  assert.ok(observed?.type === 'observe');
  const blobs = { put: async () => ({ digest: 'sha256:0', size: 0 }), read: async () => Buffer.from('') };
  const sealer = await createSealer(join(world.root, 'keys'));
  const prepare = createPrepare({ layouts: world.layouts, git: createLocalGit(world.root), blobs, sealer });
  const trigger = observed.changes[0]?.key ?? '';
  const item = { key: '1.1', base: null, changes: observed.changes, ahead: [], trigger };
  const name = { tenant: 'main', pipeline: 'nightly', queue: 'tool' };
  const [prepared] = await prepare({ ...name, items: [item], graphs: {} });
  assert.ok(prepared && 'outcome' in prepared && prepared.outcome.kind === 'ready', JSON.stringify(prepared));
  assert.deepEqual(
    prepared.outcome.graph.jobs.map((job) => job.name),
    ['fuzz'],
  );
});

test('a turn may mean the commit at the head, and a branch that is gone has none', async (t) => {
  const world = await open(t);
  const tick = await firstTick(world);
  await world.router.tick({ ...tick, dereference: true });
  const [observed] = world.told[0]?.message.commands ?? [];
  assert.ok(observed?.type === 'observe');
  assert.equal(observed.changes[0]?.newrev, world.main);
  await world.router.tick({ ...tick, branch: 'gone' });
  assert.equal(world.told.length, 1);
});
