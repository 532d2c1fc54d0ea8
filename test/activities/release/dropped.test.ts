import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { exists } from '../../../activities/files/exists.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import type { Sample } from '../repository/packages.ts';
import { build, inputFor, merged, publish, releaseWorld, type World, withPackages } from './world.ts';

/** Releases a source with its packages; the first has the source's name. */
async function release(world: World, format: PackageFormat, [own, ...others]: readonly [Sample, ...Sample[]]) {
  const source = await merged(world, `${own.name} ${own.version}\n`);
  const manifest = await withPackages(world, await build(world, { format, source, sample: own }), others);
  return publish(world, inputFor(manifest, source), `${own.name}-${own.version}`);
}

async function listed(world: World, format: PackageFormat): Promise<readonly string[]> {
  const found = await repositoryFormats[format].list(join(world.released, format));
  return found.map(({ name, version }) => `${name} ${version}`).sort();
}

for (const format of ['deb', 'rpm'] as const) {
  const arch = format === 'deb' ? 'all' : 'noarch';

  test(`what the newest source builds no more goes, unless others need it (${format})`, async (t) => {
    const world = await releaseWorld(t);
    const [one, two, three] = ['1.0-1', '2.0-1', '3.0-1'] as const;
    const alpha = (version: string): Sample => ({ name: 'alpha', version });
    const beta = (version: string, requires: readonly string[]): Sample => ({ name: 'beta', version, requires });
    const old = { name: 'alpha-old', version: one, requires: ['alpha-data'] };
    const kept = { name: 'alpha-common', version: one, requires: ['alpha-base'] };
    const rest = ['alpha-base', 'alpha-data'].map((name) => ({ name, version: one }));
    assert.deepEqual(await release(world, format, [alpha(one), old, kept, ...rest]), {});
    assert.deepEqual(await release(world, format, [beta(one, ['alpha-common'])]), {});
    const first = await repositoryFormats[format].list(join(world.released, format));

    const second = await release(world, format, [alpha(two)]);
    assert.deepEqual('notes' in second && second.notes.toSorted(), [
      `dropped alpha-data ${one} (${arch}): alpha ${two} builds it no more`,
      `dropped alpha-old ${one} (${arch}): alpha ${two} builds it no more`,
      `kept alpha-base ${one} (${arch}), which alpha ${two} builds no more: alpha-common ${one} (${arch}) needs it`,
      `kept alpha-common ${one} (${arch}), which alpha ${two} builds no more: beta ${one} (${arch}) needs it`,
    ]);
    const stays = ['alpha 1.0-1', 'alpha 2.0-1', 'alpha-base 1.0-1', 'alpha-common 1.0-1', 'beta 1.0-1'];
    assert.deepEqual(await listed(world, format), stays);
    for (const { path } of first) assert.ok(await exists(join(world.released, format, path)), path);

    await release(world, format, [beta(two, [])]);
    const last = await release(world, format, [alpha(three)]);
    assert.equal('notes' in last && last.notes.length, 2);
    assert.deepEqual(
      (await listed(world, format)).filter((name) => name.startsWith('alpha-')),
      [],
    );
  });
}

test('a released repository names as many versions as the configuration says, its line or all', async (t) => {
  const line = { name: 'rpm-kept', platforms: ['rpm-debian-12'], codename: '', keep: 2 };
  const world = await releaseWorld(t, undefined, { codename: 'bookworm', keep: 1, lines: [line] });
  for (const version of ['1.0-1', '1.1-1']) await release(world, 'deb', [{ name: 'alpha', version }]);
  for (const version of ['1.0-1', '1.1-1', '1.2-1']) await release(world, 'rpm', [{ name: 'alpha', version }]);
  assert.deepEqual(await listed(world, 'deb'), ['alpha 1.1-1']);
  const kept = await repositoryFormats.rpm.list(join(world.released, 'rpm-kept'));
  assert.deepEqual(kept.map(({ version }) => version).sort(), ['1.1-1', '1.2-1']);
});
