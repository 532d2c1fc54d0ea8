import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { openHost } from '../../../activities/mirror/host.ts';
import { takeLock } from '../../../activities/mirror/lock.ts';
import type { MirrorHostConfig } from '../../../activities/mirror/types.ts';
import { verifyMirrors } from '../../../activities/mirror/verify.ts';
import { startKinds } from './kinds.ts';
import { contentOf, look, mirrorWorld, type World } from './world.ts';

const { server } = await startKinds();

const deb = 'pool/main/a/alpha/alpha_1_all.deb';

describe('what a server cannot do', () => {
  // OpenSSH offers no renames to an account that may only read.
  for (const account of ['stiff', 'reader'] as const) {
    test(`${account}: without posix-rename it is refused by name, and nothing is sent`, async (t) => {
      const world = await mirrorWorld(t);
      await world.publish('alpha', '1');
      const { outcome, hosts } = await world.sync(
        world.set({ timeout: 60, hosts: { m1: server.sftp(world.local('m1'), account) } }),
      );
      assert.deepEqual([outcome, hosts.m1?.error?.code], ['failed', 'posix-rename']);
      assert.match(hosts.m1?.error?.message ?? '', /no posix-rename@openssh.com.*nothing is sent/);
      await assert.rejects(lstat(world.local('m1')), { code: 'ENOENT' });
    });
  }

  test('without hard links each snapshot is sent as a whole, and a warning says so', async (t) => {
    const world = await mirrorWorld(t);
    const set = world.set({ timeout: 60, hosts: { m1: server.sftp(world.local('m1'), 'linkless') } });
    await world.publish('alpha', '1');
    const first = await world.sync(set);
    await world.publish('beta', '1');
    const second = await world.sync(set);
    assert.deepEqual([first.outcome, second.outcome], ['committed', 'committed'], JSON.stringify(second));
    const facts = await Promise.all(
      [first, second].map(({ snapshot }) => lstat(join(world.local('m1/snapshots'), snapshot ?? '', deb))),
    );
    assert.deepEqual(
      facts.map(({ nlink }) => nlink),
      [1, 1],
    );
    assert.ok(
      world.said.some((line) => /sent again.* does not link to them/.test(line)),
      world.said.join('\n'),
    );
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
  });

  test('T13: a full disk is named, the old state stays, and no partial snapshot', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const source = await world.plain();
    const { host: m1, seen } = server.small();
    const set = world.set({ source, timeout: 60, hosts: { m1, m2: { url: world.local('m2') } } });
    const first = await world.sync(set);
    assert.equal(first.outcome, 'committed', JSON.stringify(first));
    await writeFile(join(source, 'pool/noise'), randomBytes(600_000));
    const second = await world.sync(set);
    assert.deepEqual([second.outcome, second.hosts.m1?.error?.code], ['failed', 'sftp:4']);
    assert.match(second.hosts.m1?.error?.message ?? '', /^No space left on the host: /);
    for (const root of [seen, world.local('m2')]) {
      const { latest, snapshots } = await look(root);
      assert.deepEqual([latest, snapshots], [first.snapshot, [first.snapshot]]);
    }
  });
});

describe('who the host is', () => {
  const refused = async (t: TestContext, lines: (known: string) => string | null) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const knownHosts = world.local('known');
    const text = lines(await readFile(server.knownHosts, 'utf8'));
    if (text !== null) await writeFile(knownHosts, text);
    const set = world.set({ timeout: 60, hosts: { m1: { ...server.sftp(world.local('m1')), knownHosts } } });
    const { outcome, hosts } = await world.sync(set);
    assert.deepEqual([outcome, hosts.m1?.error?.code], ['failed', 'ssh:255']);
    await assert.rejects(lstat(world.local('m1')), { code: 'ENOENT' });
    return hosts.m1?.error?.message ?? '';
  };

  test('T33: a host of which no key is known is refused', async (t) => {
    assert.match(await refused(t, () => ''), /Host key verification failed: .* has no key of 127.0.0.1 at port \d+/);
  });

  test('a file of host keys that is not there is told by its key', async (t) => {
    const says =
      /known, which `knownHosts` names, cannot be read: ENOENT: no such file or directory: put the host's key there/;
    assert.match(await refused(t, () => null), says);
  });

  test('T33: a host that shows another key is refused', async (t) => {
    const other = (await readFile(`${server.identity}.pub`, 'utf8')).split(' ')[1] ?? '';
    const said = await refused(t, (known) => known.replace(/(ssh-ed25519 )\S+/, `$1${other}`));
    assert.match(said, /Host key verification failed: the host shows another key/);
  });

  test('every command makes one connection', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const set = world.set({ timeout: 60, hosts: { m1: server.sftp(world.local('m1')) } });
    const earlier = await server.connections();
    assert.equal((await world.sync(set)).outcome, 'committed');
    assert.equal((await server.connections()) - earlier, 1);
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
    assert.equal((await server.connections()) - earlier, 2);
  });
});

test('R12: of two who take the lock at once one gets it', async (t) => {
  const world = await mirrorWorld(t);
  await mkdir(world.local('m1/snapshots'), { recursive: true });
  const set = world.set({ timeout: 60, hosts: { m1: server.sftp(world.local('m1')) } });
  const hosts = [openHost(set, 'm1'), openHost(set, 'm1')] as const;
  t.after(() => Promise.all(hosts.map(({ transport }) => transport.close())));
  const found = await Promise.all(hosts.map(async (host) => ({ host, view: await host.view() })));
  const taken = await Promise.allSettled(found.map((one, nth) => takeLock(one, `holder ${nth}`, world.context)));
  assert.deepEqual(taken.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], JSON.stringify(taken));
  const refused = taken.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
  assert.equal(refused.reason.code, 'locked');
  for (const one of taken) if (one.status === 'fulfilled') await one.value.release();
  assert.deepEqual((await look(world.local('m1'))).names, []);
});

test('nobody reads a lock that is not whole', async (t) => {
  const world = await mirrorWorld(t);
  await mkdir(world.local('m1/snapshots'), { recursive: true });
  const set = world.set({ timeout: 60, hosts: { m1: server.sftp(world.local('m1')) } });
  const host = openHost(set, 'm1');
  t.after(() => host.transport.close());
  const seen = new Set<string>();
  const path = world.local('m1/snapshots/.deb.lock');
  let going = true;
  const looking = (async () => {
    for (; going; await setImmediate())
      if (existsSync(path)) seen.add(await readFile(path, 'utf8').catch(() => 'gone'));
  })();
  for (let nth = 0; nth < 12; nth += 1) {
    await (await takeLock({ host, view: await host.view() }, 'holder', world.context)).release();
  }
  going = false;
  await looking;
  const texts = [...seen].filter((text) => text !== 'gone');
  assert.ok(texts.length > 1, 'it was never looked at');
  for (const text of texts) assert.equal(JSON.parse(text).holder, 'holder');
});

test('what a host is sent takes as long as its bandwidth says, and does not count as silence', async (t) => {
  const world = await mirrorWorld(t);
  const source = world.local('tree');
  await mkdir(source);
  await writeFile(join(source, 'small'), 'one');
  const [size, bandwidth] = [600 * 1024, 180 * 1024];
  const set = world.set({ source, timeout: 3, hosts: { m1: server.sftp(world.local('m1')) } });
  await world.sync({ ...set, timeout: 60 });
  await writeFile(join(source, 'large'), randomBytes(size));
  const begun = performance.now();
  const { outcome } = await world.sync({ ...set, bandwidth });
  // It is sent, and read back.
  assert.ok(performance.now() - begun > 0.9 * 2 * 1_000 * (size / bandwidth));
  assert.equal(outcome, 'committed');
});

/** Stands between us and the server. From so many bytes to it on, it cuts the connection once, or hands on nothing. */
async function startProxy(t: TestContext, world: World) {
  let left = Number.POSITIVE_INFINITY;
  let how: 'cut' | 'silent' = 'cut';
  const open = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = connect(server.port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => {
      left -= data.length;
      if (left > 0) upstream.write(data);
      else if (how === 'cut') {
        left = Number.POSITIVE_INFINITY;
        client.destroy();
      }
    });
    upstream.on('data', (data) => left > 0 && client.write(data));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    proxy.close();
    for (const socket of open) socket.destroy();
  });
  const { port } = proxy.address() as { port: number };
  const knownHosts = world.local('known');
  await writeFile(knownHosts, (await readFile(server.knownHosts, 'utf8')).replace(/:\d+/, `:${port}`));
  const { url, identity } = server.sftp(world.local('m1'));
  const host: MirrorHostConfig = { url: url.replace(/:\d+/, `:${port}`), identity, knownHosts };
  return {
    host,
    after: (bytes: number, then: 'cut' | 'silent') => {
      left = bytes;
      how = then;
    },
  };
}

for (const bytes of [8_000, 60_000]) {
  test(`a connection that is cut after ${bytes} bytes is made again, and what was sent is whole`, async (t) => {
    const world = await mirrorWorld(t);
    const { host, after } = await startProxy(t, world);
    const set = world.set({ timeout: 60, hosts: { m1: host } });
    const source = world.local('tree');
    await mkdir(source);
    for (let nth = 0; nth < 20; nth += 1) await writeFile(join(source, `file ${nth}`), randomBytes(10_000));
    after(bytes, 'cut');
    const result = await world.sync({ ...set, source });
    assert.equal(result.outcome, 'committed', JSON.stringify(result.hosts));
    assert.deepEqual(await contentOf(world.local('m1/stable/')), await contentOf(`${source}/`));
    assert.deepEqual(
      (await look(world.local('m1'))).names.filter((name) => name.startsWith('.')),
      [],
    );
  });
}

test('T34: a host that falls silent costs its timeout once, and is brought along later', async (t) => {
  const world = await mirrorWorld(t);
  const { host, after } = await startProxy(t, world);
  const hosts = { m1: host, m2: { url: world.local('m2') } };
  const set = world.set({ timeout: 60, hosts });
  await world.publish('alpha', '1');
  const first = await world.sync(set);
  await world.publish('beta', '1');
  after(10_000, 'silent');
  const begun = performance.now();
  const second = await world.sync({ ...set, timeout: 4 });
  assert.ok(performance.now() - begun < 60_000);
  assert.deepEqual([second.outcome, second.hosts.m1?.error?.code], ['failed', 'timeout'], JSON.stringify(second));
  assert.equal((await look(world.local('m2'))).latest, first.snapshot);
  after(Number.POSITIVE_INFINITY, 'cut');
  world.later(121);
  assert.equal((await world.sync(set)).outcome, 'committed');
  assert.deepEqual((await look(world.local('m1'))).snapshots, (await look(world.local('m2'))).snapshots);
});
