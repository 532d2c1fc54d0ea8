import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fastify from 'fastify';
import { bridgeAddress } from '../../activities/nodes/docker/bridge.ts';
import { createDockerEngine } from '../../activities/nodes/docker/engine.ts';
import { listen } from '../../infra/common/listen.ts';
import { ensureImages } from '../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../infra/images/platforms.ts';

test('R15: a container gets repositories of the server and nothing else, wherever the server listens', async (t) => {
  await ensureImages(builtInPlatforms.slice(0, 1), () => {});
  const app = fastify();
  for (const path of ['/api/secret', '/repositories/test/x']) app.get(path, () => `this is ${path}`);
  t.after(await listen(app, { server: { listen: { host: '0.0.0.0', port: 0 } } }));
  const { port } = app.server.address() as AddressInfo;
  const build = `test-server-${process.pid}`;
  const container = await createDockerEngine().start({
    image: 'sluice/debian-12:minimal',
    build,
    network: 'default',
    limits: { cpus: 1, memoryMiB: 256, pids: 60, diskMiB: 16 },
    privileges: 'default',
  });
  t.after(() => container.remove());
  const host = await bridgeAddress();
  const ask = async (request: string) => {
    const code = `$s = IO::Socket::INET->new(PeerAddr => "${host}:${port}") or die; print $s "${request} HTTP/1.0\\r\\n\\r\\n"; print <$s>`;
    const argv = ['perl', '-MIO::Socket::INET', '-e', code];
    return (await container.exec(argv, { signal: AbortSignal.timeout(600_000) })).output;
  };
  assert.match(await ask('GET /repositories/test/x'), /this is \/repositories/);
  assert.match(await ask('GET /api/secret'), /^HTTP\/1\.1 404 (?!.*this is)/s);
  assert.match(await ask('POST /repositories/test/x'), /^HTTP\/1\.1 404/);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/api/secret`)).text(), 'this is /api/secret');
});
