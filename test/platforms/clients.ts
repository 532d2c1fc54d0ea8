import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packageManagers } from '../../activities/nodes/packages/managers.ts';
import { addRepositories, type Node, onNode } from '../../activities/nodes/packages/node.ts';
import { openProvider } from '../../activities/nodes/registry.ts';
import { withLease } from '../../activities/nodes/with-lease.ts';
import { stageContext } from '../activities/install/stage.ts';
import { needImages, openArchive, patience, platforms } from './archive.ts';

// By hand, as platforms.ts: the rows of docs/clients.md.

for (const platform of platforms) {
  test(`${platform.name}: installs and upgrades from a signed repository, and refuses another key's`, async (t) => {
    await needImages(platform);
    const archive = await openArchive(t, platform);
    await archive.publish({ name: 'tool', version: '1-1' });
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
        if (version !== '1-1') await archive.publish({ name: 'tool', version });
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
