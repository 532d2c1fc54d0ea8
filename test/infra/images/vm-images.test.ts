import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { machineScripts } from '../../../infra/images/recipes.ts';
import { debianReleases } from '../../../infra/images/releases.ts';
import { removeVmImages, vmImageNow } from '../../../infra/images/vm/image.ts';

test('I10: images that no snapshot stands on and nobody would make today are removed, once they are a day old', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-images-'));
  t.after(() => rm(root, { recursive: true }));
  const directory = join(root, 'images');
  assert.deepEqual(await removeVmImages(directory, { current: [], kept: [] }), [], 'there are none');
  const old = new Date(Date.now() - 2 * 86_400_000);
  for (const [name, time] of [
    ['aa', old],
    ['bb', old],
    ['.new-killed', old],
    ['.new-now', new Date()],
    ['cc', new Date()],
  ] as const) {
    await mkdir(join(directory, name, 'root'), { recursive: true });
    await utimes(join(directory, name), time, time);
  }
  const removed = await removeVmImages(directory, { current: [join(directory, 'dd')], kept: [join(directory, 'bb')] });
  assert.deepEqual(removed.toSorted(), ['.new-killed', 'aa']);
  assert.deepEqual((await readdir(directory)).toSorted(), ['.new-now', 'bb', 'cc']);
});

test('I10: machines of RPM packages are made of the release that has their dist tag, each by its own recipe', async () => {
  const apt = { sources: ['deb http://deb.example.org/debian x main'], config: '', preferences: '' };
  const systems = debianReleases.flatMap(
    ({ codename, dist }) => [{ format: 'deb', codename } as const, { format: 'rpm', codename: dist } as const] as const,
  );
  const scripts = Object.fromEntries(systems.map((system) => [system.codename, machineScripts(system)]));
  const rpm = ['rpm-minimal.sh', 'rpm-base.sh', 'rpm-machine.sh'];
  assert.deepEqual(scripts, {
    ...{ bookworm: [], deb12: rpm },
    // The kernel is theirs: rpm keeps its namespaces for scriptlets, which a container would not give it.
    ...{ trixie: ['required.sh'], deb13: ['required.sh', ...rpm] },
    ...{ forky: ['required.sh'], deb14: ['required.sh', 'rpm-minimal.sh', 'rpm-dnf5.sh', ...rpm.slice(1)] },
  });
  const images = await Promise.all(systems.map((system) => vmImageNow('/images', system, apt)));
  assert.equal(new Set(images).size, systems.length);
});
