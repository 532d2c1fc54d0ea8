import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { packageManagers } from '../../activities/nodes/packages/managers.ts';
import { addRepositories, type Node, onNode } from '../../activities/nodes/packages/node.ts';
import { openProvider } from '../../activities/nodes/registry.ts';
import { withLease } from '../../activities/nodes/with-lease.ts';
import { must } from '../../activities/process/run.ts';
import { repositoryFormats } from '../../activities/repository/formats.ts';
import { publishPackages } from '../../activities/repository/publish.ts';
import { createGpgSigner } from '../../activities/sign/gpg.ts';
import { closeAgent } from '../../activities/sign/key.ts';
import { resolveKey } from '../../activities/sign/resolve-key.ts';
import { ensureImages } from '../../infra/images/ensure.ts';
import { platformsInUse } from '../../infra/images/on-need.ts';
import { builtInPlatforms } from '../../infra/images/platforms.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { stageContext, stageWorld } from '../activities/install/stage.ts';
import { makePackage } from '../activities/repository/packages.ts';

// By hand, as platforms.ts: the rows of docs/clients.md.
const named = process.env.SLUICE_PLATFORMS?.split(',');
const platforms = builtInPlatforms.filter(({ name }) => named?.includes(name) ?? true);
const patience = 600_000;

for (const platform of platforms) {
  test(`${platform.name}: installs and upgrades from a signed repository, and refuses another key's`, async (t) => {
    if ((await platformsInUse([platform])).length === 0) await ensureImages([platform], () => {});
    const archive = await openArchive(t, platform);
    await archive.publish('1-1');
    const context = await stageContext(t);
    await withLease(openProvider('docker'), { build: `clients-${process.pid}` }, async (lease) => {
      const machine = await lease.machine({ name: 'node', platform, kind: 'system', network: 'open' });
      const { signal, log, workdir } = context;
      const node: Node = { name: 'node', machine, manager: packageManagers[platform.format], signal, log };
      const offer = async (key: string) => {
        const repository = {
          url: archive.url,
          codename: archive.codename,
          origin: 'Sluice',
          kind: 'released',
          key,
        } as const;
        return (await addRepositories(node, [repository], { workdir, timeout: patience })).code;
      };
      assert.notEqual(await offer(await archive.other()), 0, 'what another key has signed is refused');
      for (const version of ['1-1', '2-1']) {
        if (version !== '1-1') await archive.publish(version);
        assert.equal(await offer(await archive.key()), 0, context.said());
        const { code } = await onNode(node, node.manager.install([{ name: 'tool', version }]), patience);
        assert.equal(code, 0, context.said());
      }
      const { output } = await machine.exec(programs[platform.format], { signal });
      t.diagnostic(output.trim().replaceAll('\n', ' · '));
      return {};
    });
  });
}

/** What says the client's version. */
const programs = {
  deb: ['sh', '-c', 'apt-get --version | head -1'],
  rpm: ['sh', '-c', 'dnf --version | head -1; rpm --version'],
} as const;

/** A repository that the platform's client reaches, and its key. */
async function openArchive(t: TestContext, { name, format }: Platform) {
  const world = await stageWorld(t);
  const home = join(world.directory, 'keys');
  await must('mkdir', ['-m', '700', home]);
  t.after(() => closeAgent(home));
  const [ours, other] = await Promise.all(['ours@example.org', 'other@example.org'].map((uid) => makeKey(home, uid)));
  assert.ok(ours && other);
  const dir = join(world.root, name);
  const codename = format === 'deb' ? 'stable' : '';
  return {
    codename,
    url: `${await world.trees.url(name)}`,
    key: () => ours.publicKey(),
    other: () => other.publicKey(),
    async publish(version: string) {
      const files = [await makePackage(format, world.directory, { name: 'tool', version })];
      const settings = { codename };
      await publishPackages(repositoryFormats[format], { dir, files, settings, date: new Date(), signer: ours });
    },
  };
}

async function makeKey(home: string, uid: string) {
  const make = [
    '--batch',
    '--yes',
    '--quiet',
    '--passphrase',
    '',
    '--quick-generate-key',
    uid,
    'rsa3072',
    'sign',
    'never',
  ];
  await must('gpg', make, { env: { GNUPGHOME: home } });
  return createGpgSigner((await resolveKey({ home, key: uid })).key);
}
