import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { type TestContext, test } from 'node:test';
import { bridgeAddress } from '../../activities/nodes/docker/bridge.ts';
import { packageManagers } from '../../activities/nodes/packages/managers.ts';
import { addRepositories, type Node, onNode } from '../../activities/nodes/packages/node.ts';
import { openProvider } from '../../activities/nodes/registry.ts';
import { withLease } from '../../activities/nodes/with-lease.ts';
import { stageContext } from '../activities/install/stage.ts';
import { needImages, openArchive, patience, platforms } from './archive.ts';

// By hand, as clients.ts: a repository that shows its next state between two requests of one client. Everything is signed.

/** What a client reads first; all else is named by it. Of a `repomd.xml` it reads the signature beside it, too. */
const last = { deb: /\/InRelease$/, rpm: /\/repomd\.xml\.asc$/ } as const;

for (const platform of platforms) {
  test(`${platform.name}: finds all that an index names which was replaced while it was read`, async (t) => {
    await needImages(platform);
    const archive = await openArchive(t, platform);
    let version = 1;
    const publish = () => archive.publish({ name: 'tool', version: `${version++}-1` });
    await publish();
    let turned = 0;
    const url = await serve(t, archive.dir, async (path) => {
      if (!last[platform.format].test(path)) return;
      turned += 1;
      await publish();
    });
    const context = await stageContext(t);
    await withLease(openProvider('docker'), { build: `race-${process.pid}` }, async (lease) => {
      const machine = await lease.machine({ name: 'node', platform, kind: 'system', network: 'open' });
      const { signal, log, workdir } = context;
      const node: Node = { name: 'node', machine, manager: packageManagers[platform.format], signal, log };
      const of = {
        url,
        codename: archive.codename,
        origin: 'Sluice',
        kind: 'released',
        key: await archive.key(),
      } as const;
      const read = async () => (await addRepositories(node, [of], { workdir, timeout: patience })).code;
      for (let round = 1; round <= 3; round += 1) {
        assert.equal(await read(), 0, context.said());
        // What it has read is not what is shown any more; dnf5 reads all of it twice.
        assert.ok(turned >= round);
        const newest = { name: 'tool', version: `${turned}-1` };
        const { code } = await onNode(node, node.manager.install([newest]), patience);
        assert.equal(code, 0, context.said());
      }
      return {};
    });
  });
}

/** Shows a repository, and has something happen when a file was read, before it is sent. */
async function serve(t: TestContext, root: string, whenRead: (path: string) => Promise<void>): Promise<string> {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    const content = await readFile(join(root, path)).catch(() => null);
    if (content === null) return response.writeHead(404).end();
    await whenRead(path);
    return response.end(content);
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://${await bridgeAddress()}:${(server.address() as AddressInfo).port}`;
}
