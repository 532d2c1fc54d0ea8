import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Docker from 'dockerode';
import { registrationName } from '../../../activities/nodes/docker/installations.ts';
import { givenDirectory, openProvider } from '../../../activities/nodes/registry.ts';
import { readState } from '../../../activities/nodes/static/records.ts';
import { ensureImages } from '../../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { NodesDesk } from '../../../pipelines/nodes/desk.ts';
import { nodesId } from '../../../workflows/ids.ts';
import { nodesQuery } from '../../../workflows/messages.ts';
import { change, frozenJob, pipelineNamed } from '../../workflows/make.ts';
import { until, World } from '../../workflows/world.ts';
import { startMachines } from './static/machines.ts';

const check = pipelineNamed('check', { manager: 'independent' });
const arch = 'killed';
const installation = `killed-${process.pid}`;
const entity = nodesId('docker');
const docker = new Docker();
const provider = openProvider('docker', { installation: { id: installation, data: tmpdir() } });

let world: World;
let place: string;
let child: ChildProcess;
const running = new Set<string>();

before(async () => {
  await ensureImages(builtInPlatforms.slice(0, 1), () => {});
  place = await mkdtemp(join(tmpdir(), 'sluice-killed-'));
  world = await World.start();
  world.outside.archOf = () => arch;
  const nodeset = { name: '', nodes: [{ name: ['node'], label: 'test' }], groups: [] };
  world.outside.jobs = () => [frozenJob('build', { uses: 'build', attempts: 1, nodeset })];
  // Looks at holders every second.
  const args = [{ provider: 'docker', lookEvery: 1 }];
  await world.temporal.client.workflow.start('nodes', { workflowId: entity, taskQueue: 'control', args });
  startWorker();
});

after(async () => {
  child?.kill('SIGKILL');
  await world?.stop();
  for (const { build } of await provider.list()) await provider.sweep(build);
  await docker.getVolume(registrationName(installation)).remove();
  await rm(place, { recursive: true, force: true });
});

/** @param given the machines that it lends, as JSON; absent: containers */
function startWorker(queue = arch, given: readonly string[] = []): void {
  const script = join(import.meta.dirname, 'killed-worker.ts');
  const args = [
    '--disable-warning=ExperimentalWarning',
    script,
    world.server.address,
    queue,
    installation,
    place,
    ...given,
  ];
  child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    for (const [, id = ''] of text.matchAll(/^(\S+) runs$/gm)) running.add(id);
  });
}

async function enter(id: string): Promise<void> {
  const time = Date.now();
  const enqueue = { type: 'enqueue', time, pipeline: 'check', change: id } as const;
  await world.tell('tinycdb', [{ type: 'observe', time, changes: [change(id)] }, enqueue], { pipeline: check });
  await until(`${id} runs`, () => running.has(id));
}

/** Of a change, its newest last. */
const buildsOf = (id: string) => [...world.outside.builds.values()].filter((build) => build.change === id);
const desk = (): Promise<NodesDesk> => world.temporal.client.workflow.getHandle(entity).query(nodesQuery);
const terminate = (id: string) => world.temporal.client.workflow.getHandle(buildsOf(id)[0]?.workflow ?? '').terminate();

test('R7: a killed worker leaves nothing lent and no machine, and is no fault of its jobs, whatever becomes of them', async () => {
  await enter('uncounted');
  world.outside.capacity = { maxServers: 5 };
  for (const id of ['repeated', 'cancelled', 'terminated', 'first', 'second']) await enter(id);
  assert.equal((await desk()).leases.length, 5);
  assert.equal((await provider.list()).length, 6);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const dequeue = { type: 'dequeue', time: Date.now(), pipeline: 'check', change: 'cancelled' } as const;
  await world.tell('tinycdb', [dequeue], { pipeline: check });
  await terminate('terminated');
  await terminate('uncounted');
  await until('it is found', async () => (await desk()).leases.some(({ lost }) => lost));
  running.clear();
  startWorker();
  // Those whose workflow was ended are begun anew by their build sets.
  const again = ['repeated', 'terminated', 'uncounted', 'first', 'second'];
  await until('they run again', () => again.every((id) => running.has(id)));
  const wanted = again.map((id) => buildsOf(id).at(-1)?.id).sort();
  const made = async () => [...new Set((await provider.list()).map(({ build }) => build))].sort();
  await until('only their machines are there', async () => (await made()).join() === wanted.join());
  await until('only they hold', async () => {
    const builds = (await desk()).leases.map(({ build }) => build);
    return builds.sort().join() === wanted.join();
  });
  await until('the cancelled one has ended', () => buildsOf('cancelled')[0]?.result === 'CANCELED');
  await writeFile(join(place, 'open'), '');
  for (const id of again) await until(`${id} is fine`, () => buildsOf(id).at(-1)?.result === 'SUCCESS');
  assert.deepEqual(
    again.map((id) => buildsOf(id).length),
    [1, 2, 2, 1, 1],
  );
  await until('all is given back', async () => (await desk()).leases.length === 0);
  assert.deepEqual(await provider.list(), []);
});

test('R2: a job whose worker and whose entity of nodes are both gone goes on with what it was lent', async () => {
  await rm(join(place, 'open'));
  await enter('alone');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await world.temporal.client.workflow.getHandle(entity).terminate('by hand');
  await writeFile(join(place, 'open'), '');
  startWorker();
  await until('it is fine', () => buildsOf('alone')[0]?.result === 'SUCCESS');
  assert.equal(buildsOf('alone').length, 1);
  assert.deepEqual(await provider.list(), []);
});

test('I10: a machine that is there is cleaned after its worker was killed, before the same job has it again', async (t) => {
  child.kill('SIGKILL');
  await once(child, 'exit');
  await rm(join(place, 'open'));
  const [machine] = await startMachines(1, { clean: ['rm', '-f', '/root/left'] });
  assert.ok(machine);
  t.after(() => machine.stop());
  const queue = `${arch}-given`;
  const given = [JSON.stringify([{ ...machine.settings, secret: await machine.settings.key() }])];
  world.outside.archOf = () => queue;
  startWorker(queue, given);
  await enter('given');
  const sleepers = () =>
    machine.inside('grep -lx sleep /proc/[0-9]*/comm 2> /dev/null || :').then((text) => text.trim());
  const before = await sleepers();
  assert.match(before, /^\/proc\/\d+\/comm$/);
  await machine.inside('touch /root/left');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await sleepers(), before, 'what the job has started goes on');
  running.clear();
  startWorker(queue, given);
  await until('it runs again', () => running.has('given'));
  assert.notEqual(await sleepers(), before);
  assert.equal(await machine.inside('ls /root/left 2> /dev/null || :'), '', 'the hook was run');
  await writeFile(join(place, 'open'), '');
  await until('it is fine', () => buildsOf('given').at(-1)?.result === 'SUCCESS');
  assert.equal(buildsOf('given').length, 1);
  await until('it is clean', async () => (await readState(givenDirectory(place), 'm0'))?.state === 'clean');
  assert.equal(await sleepers(), '');
});
