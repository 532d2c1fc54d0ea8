import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { askEngine } from '../../../infra/bootstrap/engine.ts';
import { findProgram } from '../../../infra/bootstrap/find.ts';
import { purgeEngine } from '../../../infra/images/purge.ts';

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
  for (const deadline = Date.now() + 30_000; (await askEngine(env)) !== 'answers'; await sleep(100))
    assert.ok(Date.now() < deadline, 'the engine does not come up');
  return new Docker({ socketPath: socket });
}

/** Imports an empty file system; `changes` are lines of a Dockerfile. */
async function importImage(docker: Docker, tag: string, changes: string): Promise<void> {
  const empty = Readable.from([Buffer.alloc(1024)]);
  const stream = await docker.importImage(empty, { repo: 'test', tag, changes });
  await new Promise((resolve) => docker.modem.followProgress(stream, resolve));
}

test('everything that carries our labels is removed, and nothing else', async (t) => {
  const docker = await startEngine(t);
  await importImage(docker, 'ours', 'LABEL sluice.recipe=x');
  await importImage(docker, 'other', 'LABEL other=x');
  const labels = { 'sluice.build': 'build-1' };
  await docker.createContainer({ Image: 'test:ours', Cmd: ['x'], Labels: labels });
  await docker.createContainer({ Image: 'test:other', Cmd: ['x'], name: 'kept' });
  await docker.createVolume({ Name: 'ours', Labels: labels });
  await docker.createVolume({ Name: 'kept' });
  assert.deepEqual(await purgeEngine(docker), { containers: 1, networks: 0, volumes: 1, images: 1 });
  assert.deepEqual(
    (await docker.listContainers({ all: true })).map(({ Names }) => Names),
    [['/kept']],
  );
  assert.deepEqual(
    (await docker.listVolumes()).Volumes.map(({ Name }) => Name),
    ['kept'],
  );
  assert.deepEqual(
    (await docker.listImages()).flatMap(({ RepoTags }) => RepoTags),
    ['test:other'],
  );
  assert.deepEqual(await purgeEngine(docker), { containers: 0, networks: 0, volumes: 0, images: 0 });
});
