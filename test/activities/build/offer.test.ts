import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BuildStageDeps } from '../../../activities/build/deps.ts';
import { offerFor } from '../../../activities/build/offer.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
import type { StageInput } from '../../../workflows/contract.ts';

test('the newest of the changes ahead comes first: of one version with other content APT takes what it reads first', async () => {
  const metadata = {
    type: 'test-repository',
    format: 'deb',
    platform: 'debian-12',
    codename: 'bookworm',
    project: 'a',
  };
  const provided = ['old', 'new', 'newest'].map((name) => ({
    ...{ name, url: `http://x/${name}/` },
    metadata: { ...metadata, manifest: `sha256:${'0'.repeat(64)}` },
  }));
  const released = { url: 'http://x/released/', codename: 'bookworm', origin: 'Sluice', kind: 'released' };
  const deps = { released: async () => [released] } as unknown as BuildStageDeps;
  const offer = await offerFor(deps, { provided } as unknown as StageInput, { name: 'debian-12' } as Platform);
  assert.deepEqual(
    offer.repositories.map(({ url }) => url),
    ['http://x/newest/', 'http://x/new/', 'http://x/old/', 'http://x/released/'],
  );
});
