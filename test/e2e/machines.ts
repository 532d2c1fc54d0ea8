import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { vmDirectory } from '../../activities/nodes/registry.ts';
import { placesIn, snapshotsIn } from '../../activities/nodes/vm/records.ts';
import { must } from '../../activities/process/run.ts';
import type { BuildRecord, DebugView, SnapshotList } from '../../server/api/types.ts';
import { preparedForTests } from '../activities/nodes/vm/prepared.ts';
import { until } from './faults/stack.ts';
import { createWorld, type World } from './faults/world.ts';
import { tellDemo } from './tell-demo.ts';

// By hand, and no part of `npm test`: an image is made and booted first, which takes minutes without KVM.
// .tools/node --test test/e2e/machines.ts

const label = 'debian-12-vm';
const limits = { cpus: 1, memoryMiB: 256 };

/** Gives an installation the snapshot that the tests share, as if it had prepared it: its server finds nothing missing. */
async function furnish(data: string): Promise<void> {
  const shared = await preparedForTests();
  const [snapshot] = (await snapshotsIn(shared)).toSorted((one, other) => other.time - one.time);
  assert.ok(snapshot);
  const images = join(vmDirectory(data), 'images');
  const own = join(placesIn(vmDirectory(data)).snapshots, snapshot.id);
  await mkdir(own, { recursive: true, mode: 0o700 });
  await symlink(join(snapshot.from, '..'), images);
  for (const name of ['memory', 'disk']) await symlink(join(shared.snapshots, snapshot.id, name), join(own, name));
  const record = { ...snapshot, image: label, from: join(images, basename(snapshot.from)) };
  await writeFile(join(own, 'snapshot.json'), JSON.stringify(record));
}

const pipelines = `- job:
    name: systest-vm
    parent: package-systest
    dependencies: publish-deb
    requires: deb-repository
    nodeset: {nodes: [{name: server, label: ${label}}, {name: client, label: ${label}}]}
- project:
    check: {jobs: [noop]}
    gate: {jobs: [build-deb, publish-deb, systest-vm]}
    post: {jobs: [noop]}
`;

const scenario = `snapshots: each-step
install: {server: [greeter], client: [greeter]}
steps:
  - {name: it greets, on: client, run: greeter, expect: "Hello, world"}
  - {name: something is left, on: server, run: "greeter server > /root/left; (sleep 3000 &) > /dev/null 2>&1"}
  - {name: it fails, on: client, run: "hostname > /root/left; echo no; exit 3"}
`;

async function ended(world: World, change: Parameters<World['builds']>[0]): Promise<BuildRecord> {
  for (let patience = 4; ; patience -= 1) {
    try {
      return await until('the end of the system test', async () => {
        const builds = await world.builds(change);
        const stopped = builds.find(
          ({ job, result }) => job !== 'systest-vm' && result !== null && result !== 'SUCCESS',
        );
        assert.equal(stopped, undefined, `${stopped?.job}: ${stopped?.summary}`);
        return builds.find(({ job, endTime }) => job === 'systest-vm' && endTime !== null);
      });
    } catch (error) {
      if (patience === 0 || !/not so after/.test(String(error))) throw error;
    }
  }
}

const times = (t: TestContext) => {
  let begin = performance.now();
  return (what: string) => {
    t.diagnostic(`${what}: ${Math.round((performance.now() - begin) / 100) / 10} s`);
    begin = performance.now();
  };
};

test('I10: a change goes from a push to two virtual machines, fails, and somebody looks at them', async (t) => {
  const took = times(t);
  const platform = { format: 'deb', codename: 'bookworm', provider: 'vm', limits };
  const world = await createWorld({ settings: { platforms: { [label]: platform } }, furnish });
  t.after(() => world.end());
  const { stack } = world;
  took('a stack');
  const change = await world.propose('machines', { 'zuul.yaml': pipelines, 'sluice/systest/pair.yaml': scenario });
  await stack.sluice('approve', change.id);
  const build = await ended(world, change);
  took('from the push to the end of the system test');
  assert.equal(build.result, 'FAILURE', build.summary);
  assert.match(build.summary, /^pair: it fails: /, await world.log(build));
  const artifact = build.artifacts.find(({ name }) => name === 'machines');
  assert.deepEqual(artifact?.metadata?.nodes, ['server', 'client'], await world.log(build));
  const { kept } = JSON.parse(await stack.sluice('vm', 'list', '--json')) as SnapshotList;
  assert.deepEqual(
    kept.map((each) => [each.build, each.open, each.steps]),
    [[build.id, false, [1, 2]]],
  );
  const session = JSON.parse(await stack.sluice('vm', 'debug', build.id, '--json')) as DebugView;
  took('a debug session');
  for (const [name, left] of [
    ['server', 'Hello, server'],
    ['client', 'client'],
  ] as const) {
    const { command } = session.nodes.find((node) => node.name === name) ?? assert.fail(`there is no ${name}`);
    const { stdout } = await must('sh', ['-c', `${command} 'cat /root/left; dpkg -s greeter'`]);
    assert.deepEqual(stdout.split('\n').slice(0, 2), [left, 'Package: greeter']);
  }
  took('a shell on each');
  await endDebug(world, build);
  const early = JSON.parse(await stack.sluice('vm', 'debug', build.id, '--step', '1', '--json')) as DebugView;
  took('a debug session of a step');
  assert.deepEqual(
    early.nodes.map(({ answers }) => answers),
    [true, true],
  );
  for (const { command } of early.nodes) {
    const { stdout } = await must('sh', ['-c', `${command} 'ls -A /root | grep -c left; dpkg -s greeter'`]);
    assert.deepEqual(
      stdout.split('\n').slice(0, 2),
      ['0', 'Package: greeter'],
      'what the second step left is not there',
    );
  }
  await endDebug(world, build);
  assert.deepEqual(await world.merged(), ['Import greeter']);
});

async function endDebug({ stack }: World, build: BuildRecord): Promise<void> {
  await stack.sluice('vm', 'debug', build.id, '--end');
  await until('its machines are gone', async () => {
    const list = JSON.parse(await stack.sluice('vm', 'list', '--json')) as SnapshotList;
    return list.kept.every(({ open }) => !open) || undefined;
  });
}

test('I10: the demo has its system test on two machines, and shows one that failed', { timeout: 3_600_000 }, (t) =>
  tellDemo(t, 'vm', ['machines', 'debug']),
);
