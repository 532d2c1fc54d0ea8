import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import Docker from 'dockerode';
import { createDockerEngine } from '../../../../activities/nodes/docker/engine.ts';
import { registrationName } from '../../../../activities/nodes/docker/installations.ts';
import { createDockerProvider } from '../../../../activities/nodes/docker/provider.ts';
import { createReadyActivities } from '../../../../activities/nodes/ready.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';
import { readyId } from '../../../../pipelines/nodes/ready.ts';

const platform = builtInPlatforms[0] as Platform;
const label = platform.name;
const need = { name: 'node', platform, kind: 'system', network: 'open' } as const;
const installation = { id: `ready-test-${process.pid}`, data: '/nowhere' };
const docker = new Docker();
const engine = createDockerEngine(docker, installation);
const provider = createDockerProvider(engine);
const { makeReady, lookAtReady } = createReadyActivities({ provider, platforms: [platform] });
after(() => docker.getVolume(registrationName(installation.id)).remove());
const signal = AbortSignal.timeout(600_000);

test('I10: a container that stands ready is the one that is lent, once, and goes with its lease', async (t) => {
  const holder = `nodes/${process.pid}`;
  const [one, two, stray] = ['one', 'two', 'stray'].map((each) => readyId(`${each}-${process.pid}`)) as [
    string,
    string,
    string,
  ];
  t.after(() => Promise.all([one, two, stray].map((id) => provider.sweep(id))));
  for (const id of [one, two, stray]) {
    const made = await makeReady({ provider: 'docker', id, label, holder });
    assert.ok('took' in made && made.took > 0);
  }
  const known = [one, two];
  const ready = known.map((id) => ({ id, label }));
  assert.deepEqual(await lookAtReady({ provider: 'docker', holder, ready, known }), { gone: [] });
  assert.equal(await engine.find(stray), null, 'nobody answers for it');

  const said: string[] = [];
  const waiting = { signal, tell: (line: string) => void said.push(line) };
  const machines = known.map((name) => ({ label, name, took: 700 }));
  const lease = await provider.lend({ build: `build-${process.pid}`, machines, waiting });
  t.after(() => provider.release(lease));
  const standing = await engine.find(one);
  const [first, other] = await Promise.all([lease.machine(need), lease.machine({ ...need, name: 'other' })]);
  assert.equal((await first.exec(['hostname'], { signal })).output.trim(), 'node');
  assert.equal((first as unknown as { id: string }).id, standing?.id);
  assert.match(said.join('\n'), /^node: stood ready, and was there in [\d.]+ s; making it had taken 0\.7 s$/);
  // A container has the name that it was made with: another one is made, and what counted for it is removed before.
  assert.equal((await other.exec(['hostname'], { signal })).output.trim(), 'other');
  assert.equal(await engine.find(two), null);
  await provider.release(lease);
  assert.deepEqual(await lookAtReady({ provider: 'docker', holder, ready, known }), { gone: known });
  assert.deepEqual(await provider.list(), []);
});

test('I10: one whose image is another by now is not lent', async (t) => {
  const id = readyId(`image-${process.pid}`);
  t.after(() => provider.sweep(id));
  await makeReady({ provider: 'docker', id, label, holder: 'nodes/none' });
  const later = { ...platform, testImage: platform.buildImage };
  assert.equal(await provider.whyNotReady?.({ id, platform }), null);
  assert.match((await provider.whyNotReady?.({ id, platform: later })) ?? '', /is another image by now$/);
  const machines = [{ label, name: id }];
  const lease = await provider.lend({ build: `image-build-${process.pid}`, machines });
  t.after(() => provider.release(lease));
  const machine = await lease.machine({ ...need, platform: later });
  assert.equal(await machine.origin(), await engine.imageId(platform.buildImage));
  assert.equal(await engine.find(id), null);
});
