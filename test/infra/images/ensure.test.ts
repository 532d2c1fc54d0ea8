import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createDockerEngine } from '../../../activities/nodes/docker/engine.ts';
import type { Container } from '../../../activities/nodes/docker/spec.ts';
import { ensureImages, missingImages } from '../../../infra/images/ensure.ts';
import { shippedPlatforms } from '../../../infra/images/platforms.ts';

const limits = { cpus: 1, memoryMiB: 512, pids: 200, diskMiB: 64 };
const signal = AbortSignal.timeout(600_000);
let container: Container;

before(async () => {
  await ensureImages(shippedPlatforms, () => {});
  const image = 'sluice/rpm-debian-12:minimal';
  const spec = { image, build: 'test-images', network: 'none', limits, privileges: 'default' } as const;
  container = await createDockerEngine().start(spec);
});

after(() => container.remove());

test('the second run has nothing to do', async () => {
  const lines: string[] = [];
  await ensureImages(shippedPlatforms, (line) => lines.push(line));
  assert.deepEqual(lines, []);
});

test('an image by another recipe counts as missing', async () => {
  const [debian] = shippedPlatforms;
  assert.ok(debian);
  const other = { ...debian, buildImage: 'sluice/debian-12:another' };
  const missing = await missingImages([other]);
  assert.deepEqual(
    missing.recipes.map(({ image }) => image),
    ['sluice/debian-12:another'],
  );
});

test("rpm's database knows what the Debian system offers", async () => {
  for (const capability of ['/bin/sh', '/usr/bin/env', 'rtld(GNU_HASH)', 'glibc', 'python(abi)']) {
    const { code, output } = await container.exec(['rpm', '-q', '--whatprovides', capability], { signal });
    assert.equal(code, 0, `${capability}: ${output}`);
    assert.match(output, /^sluice-debian-base-/);
  }
  const { output } = await container.exec(['rpm', '-q', '--provides', 'sluice-debian-base'], { signal });
  assert.match(output, /^libc\.so\.6\(GLIBC_2\.34\)/m);
});
