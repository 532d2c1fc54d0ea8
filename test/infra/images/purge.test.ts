import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { register } from '../../../activities/nodes/docker/installations.ts';
import { labels } from '../../../activities/nodes/docker/labels.ts';
import { askEngine } from '../../../infra/bootstrap/engine.ts';
import { findProgram } from '../../../infra/bootstrap/find.ts';
import { purgeEngine, purgeMachines } from '../../../infra/images/purge.ts';

/** An engine of the test's own, so that nothing of the machine's is in danger. */
async function startEngine(t: TestContext): Promise<Docker> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-engine-'));
  const socket = join(directory, 'socket');
  const places = ['data-root', 'exec-root', 'pidfile'].flatMap((name) => [`--${name}`, join(directory, name)]);
  const program = findProgram('dockerd') ?? 'dockerd';
  const args = [...places, '--host', `unix://${socket}`, '--bridge', 'none', '--iptables=false'];
  // In a network of its own: an engine that is to have no bridge removes the one that another engine uses.
  const engine = spawn('unshare', ['--net', '--', program, ...args], { stdio: 'ignore' });
  t.after(async () => {
    engine.kill('SIGTERM');
    await once(engine, 'exit');
    rmSync(directory, { recursive: true, force: true });
  });
  const env = { DOCKER_HOST: `unix://${socket}` };
  for (const deadline = Date.now() + 120_000; (await askEngine(env)) !== 'answers'; await sleep(100))
    assert.ok(Date.now() < deadline, 'the engine does not come up');
  return new Docker({ socketPath: socket });
}

/** Imports an empty file system; `changes` are lines of a Dockerfile. */
async function importImage(docker: Docker, tag: string, changes: string): Promise<void> {
  const empty = Readable.from([Buffer.alloc(1024)]);
  const stream = await docker.importImage(empty, { repo: 'test', tag, changes });
  await new Promise((resolve) => docker.modem.followProgress(stream, resolve));
}

test('P11: what an installation made is removed, and nothing of another one; images go with the last', async (t) => {
  const docker = await startEngine(t);
  const [one, two] = ['one', 'two'].map((name) => ({ id: name, data: mkdtempSync(join(tmpdir(), `sluice-${name}-`)) }));
  assert.ok(one && two);
  t.after(() => [one, two].map(({ data }) => rmSync(data, { recursive: true, force: true })));
  await importImage(docker, 'ours', 'LABEL sluice.recipe=x');
  await importImage(docker, 'other', 'LABEL other=x');
  for (const each of [one, two]) {
    await register(docker, each);
    await register(docker, each);
    const Labels = labels({ build: `build-${each.id}`, installation: each.id });
    await docker.createContainer({ Image: 'test:ours', Cmd: ['x'], Labels, name: each.id });
    await docker.createVolume({ Name: each.id, Labels });
  }
  await docker.createContainer({ Image: 'test:other', Cmd: ['x'], name: 'kept' });
  await docker.createVolume({ Name: 'kept' });

  const none = { containers: 0, networks: 0, volumes: 0, images: 0, running: 0 };
  const first = { ...none, containers: 1, volumes: 1, others: [two.data] };
  assert.deepEqual(await purgeEngine(one.id, docker), first, 'the images serve the other one');
  assert.deepEqual(await namesIn(docker), ['kept', 'two', 'test:other', 'test:ours']);
  assert.deepEqual(await purgeEngine(one.id, docker), { ...none, others: [two.data] });
  assert.deepEqual(await purgeEngine(two.id, docker), { ...none, containers: 1, volumes: 1, images: 1, others: [] });
  assert.deepEqual(await namesIn(docker), ['kept', 'test:other']);
});

test('P11: an installation whose data directory is gone holds nothing back', async (t) => {
  const docker = await startEngine(t);
  await importImage(docker, 'ours', 'LABEL sluice.recipe=x');
  await register(docker, { id: 'gone', data: '/nowhere/sluice' });
  const { images, others } = await purgeEngine('mine', docker);
  assert.deepEqual({ images, others }, { images: 1, others: [] });
});

async function namesIn(docker: Docker): Promise<string[]> {
  const containers = (await docker.listContainers({ all: true })).flatMap(({ Names }) => Names);
  const images = (await docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []);
  return [...containers.map((name) => name.slice(1)).sort(), ...images.sort()];
}

test('virtual machines go with their data directory, those that run and what is left of others', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'sluice-purge-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  assert.equal(await purgeMachines(data), 0);
  const id = `purge-${process.pid}~1`;
  const machines = ['~1', '~2'].map((end) => join(data, 'vm', 'machines', `purge-${process.pid}${end}`));
  for (const directory of machines) mkdirSync(directory, { recursive: true });
  const nothing = ['-M', 'none', '-nodefaults', '-display', 'none'];
  const emulator = spawn('qemu-system-x86_64', ['-name', `sluice-vm-${id}`, ...nothing], { stdio: 'ignore' });
  const ended = once(emulator, 'exit');
  await once(emulator, 'spawn');
  assert.equal(await purgeMachines(data), 2);
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  assert.deepEqual(
    machines.filter((directory) => existsSync(directory)),
    [],
  );
});
