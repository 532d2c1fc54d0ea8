import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { look, mirrorWorld } from './world.ts';

/** Passes connections on to a port; from the `nth` one on it takes everything and hands on nothing. */
async function forward(t: { after(work: () => void): void }, to: number) {
  let left = Number.POSITIVE_INFINITY;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    left -= 1;
    const upstream = connect(to, '127.0.0.1');
    const hidden = left < 0;
    for (const [from, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      let bytes = 0;
      from.on('data', (data) => {
        bytes += data.length;
        // The greetings pass, so that rsync is in the middle of a transfer.
        if (!hidden || bytes < 600) other.write(data);
      });
      from.on('end', () => hidden || other.end());
      from.on('error', () => other.destroy());
      from.on('close', () => open.delete(from));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  const { port } = server.address() as { port: number };
  return { port, allow: (connections: number) => (left = connections) };
}

for (const connections of [4, 6]) {
  test(`a host that falls silent after ${connections} transfers costs its timeouts once, and is brought along later`, async (t) => {
    const world = await mirrorWorld(t);
    const daemon = await world.daemon('m2');
    const proxy = await forward(t, Number(new URL(daemon.url).port));
    const url = `rsync://127.0.0.1:${proxy.port}/mirror`;
    const set = world.set({ timeout: 1, hosts: { m1: { url: world.local('m1') }, m2: { url } } });
    await world.publish('alpha', '1');
    const first = await world.sync(set);
    assert.equal(first.outcome, 'committed', JSON.stringify(first));
    await world.publish('beta', '1');
    proxy.allow(connections);
    const started = Date.now();
    const second = await world.sync(set);
    assert.ok(Date.now() - started < 3 * 1_000 + 15_000, `${Date.now() - started} ms`);
    assert.deepEqual([second.outcome, second.hosts.m2?.error?.code], ['failed', 'timeout'], JSON.stringify(second));
    assert.equal((await look(world.local('m1'))).latest, first.snapshot);
    proxy.allow(Number.POSITIVE_INFINITY);
    world.later(121);
    assert.equal((await world.sync(set)).outcome, 'committed');
    assert.deepEqual((await look(daemon.root)).snapshots, (await look(world.local('m1'))).snapshots);
  });
}
