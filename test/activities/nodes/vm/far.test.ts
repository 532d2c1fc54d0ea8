import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { OutOfService } from '../../../../activities/nodes/out-of-service.ts';
import { createVmProvider } from '../../../../activities/nodes/vm/provider.ts';
import { type Places, placesIn } from '../../../../activities/nodes/vm/records.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';
import { image, preparedForTests } from './prepared.ts';
import { startSshHost, type TestHost } from './ssh-host.ts';

const platform = { ...builtInPlatforms[0], buildImage: image, testImage: image } as Platform;
const need = { name: 'node', platform, kind: 'system', network: 'none' } as const;
let root: string;
let far: TestHost;
let places: Places;
before(async () => {
  const here = await preparedForTests();
  root = await mkdtemp(join(tmpdir(), 'sluice-far-'));
  await mkdir(join(root, 'sshd'));
  far = await startSshHost(join(root, 'sshd'));
  // The host is this machine by another way: what was prepared here is there.
  places = placesIn(join(here.snapshots, '..'), far.host);
});
after(async () => {
  far?.host.close();
  await far?.server.stop();
  await rm(root, { recursive: true });
});

test('I10: a machine on a host over SSH is restored, used and released, and lost with the sshd, which sweeps it when it is back', async (t) => {
  const signal = AbortSignal.timeout(600_000);
  const [build, lost] = [`test-far-${process.pid}`, `test-far-lost-${process.pid}`];
  const provider = createVmProvider({ places, installation: `far-${process.pid}`, ways: async () => [] });
  const said: string[] = [];
  const waiting = { signal, tell: (line: string) => void said.push(line) };
  const lease = await provider.lend({ build, holder: 'job/1', waiting });
  const machine = await lease.machine(need);
  t.diagnostic(said.join('\n'));
  const { code, output } = await machine.exec(['sh', '-c', 'hostname; cat'], { signal, input: 'given\n' });
  assert.deepEqual([code, output], [0, 'node\ngiven\n']);
  await machine.put(join(root, 'sshd', 'config'), '/root/copied');
  const taken = await machine.take('/root/copied', join(root, 'taken'));
  assert.deepEqual(
    taken.map(({ path }) => path),
    ['copied/config'],
  );
  assert.deepEqual(await provider.list(), [{ build, holder: 'job/1' }]);
  await provider.release(lease);
  assert.deepEqual(await provider.list(), []);

  const other = await provider.lend({ build: lost, holder: 'job/2', waiting });
  const running = (await other.machine(need)).exec(['sleep', '300'], { signal });
  const gone = assert.rejects(running, { name: 'EngineUnavailable' });
  await far.server.stop();
  await gone;
  await assert.rejects(other.machine({ ...need, name: 'more' }), OutOfService);
  const back = await startSshHost(await mkdtemp(join(root, 'sshd-')));
  t.after(() => back.server.stop().finally(() => back.host.close()));
  const again = createVmProvider({
    ...{ places: { ...places, host: back.host }, installation: `far-${process.pid}`, ways: async () => [] },
  });
  assert.deepEqual(await again.list(), [{ build: lost, holder: 'job/2' }], 'it runs still');
  await again.sweep(lost);
  assert.deepEqual(await again.list(), []);
});
