import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { openHost } from '../../../activities/mirror/host.ts';
import { recordCalls } from './calls.ts';
import { look, mirrorWorld } from './world.ts';

interface Passed {
  readonly port: number;
  /** Whether a connection that comes now is to be taken, and nothing handed on. */
  isSilent(): boolean;
}

/** Passes connections on to a port. @returns a port of its own */
async function forward(t: { after(work: () => void): void }, { port: to, isSilent }: Passed): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const hidden = isSilent();
    const upstream = connect(to, '127.0.0.1');
    for (const [from, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      let bytes = 0;
      let quiet = false;
      from.on('data', (data) => {
        bytes += data.length;
        // The greetings pass, so that rsync is in the middle of a transfer; its signs of life, of four bytes, do not.
        quiet ||= hidden && (bytes >= 600 || data.length === 4);
        if (!quiet) other.write(data);
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
  return port;
}

/** What is under way, by the phase that the sync is in then, and how many calls with it. */
const phases = {
  stage: { when: / --stats .* rsync:.*\/snapshots\/deb-[\d-]+\/$/, calls: 1 },
  verify: { when: / --checksum .* rsync:.*\/snapshots\/deb-[\d-]+\/$/, calls: 2 },
};

for (const [phase, { when, calls: together }] of Object.entries(phases)) {
  test(`a host that falls silent in the phase ${phase} costs its timeouts once, and is brought along later`, async (t) => {
    const world = await mirrorWorld(t);
    const daemon = await world.daemon('m2');
    const calls = recordCalls(t, world, ['rsync']);
    let silence = false;
    const isSilent = () => silence && calls.all().some((call) => when.test(call));
    const port = await forward(t, { port: Number(new URL(daemon.url).port), isSilent });
    const url = `rsync://127.0.0.1:${port}/mirror`;
    const set = world.set({ hosts: { m1: { url: world.local('m1') }, m2: { url } } });
    await world.publish('alpha', '1');
    const first = await world.sync(set);
    assert.equal(first.outcome, 'committed', JSON.stringify(first));
    await world.publish('beta', '1');
    calls.forget();
    silence = true;
    const second = await world.sync({ ...set, timeout: 2 });
    const made = calls.all().filter((call) => call.includes(url));
    const silent = made.slice(made.findIndex((call) => when.test(call)));
    // Each is tried three times; after that nothing is.
    assert.ok(silent.length <= 3 * together, silent.join('\n'));
    const { error, phase: reached } = second.hosts.m2 ?? assert.fail();
    assert.deepEqual([second.outcome, error?.code, reached], ['failed', 'timeout', phase], JSON.stringify(second));
    assert.equal((await look(world.local('m1'))).latest, first.snapshot);
    silence = false;
    world.later(121);
    assert.equal((await world.sync(set)).outcome, 'committed');
    assert.deepEqual((await look(daemon.root)).snapshots, (await look(world.local('m1'))).snapshots);
  });
}

test('a host that falls silent while something is fetched from it is given up', async (t) => {
  const world = await mirrorWorld(t);
  const daemon = await world.daemon('m1');
  await writeFile(join(daemon.root, 'text'), 'x'.repeat(10_000));
  const port = await forward(t, { port: Number(new URL(daemon.url).port), isSilent: () => true });
  const set = world.set({ timeout: 2, hosts: { m1: { url: `rsync://127.0.0.1:${port}/mirror` } } });
  const { transport } = openHost(set, 'm1', AbortSignal.timeout(60_000));
  await assert.rejects(transport.readTexts(['text']), { code: 'timeout' });
});
