import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { openHost } from '../../../activities/mirror/host.ts';
import { verifyMirrors } from '../../../activities/mirror/verify.ts';
import { recordCalls } from './calls.ts';
import { type SshServer, startSshServer } from './sshd.ts';
import { look, mirrorWorld, type World } from './world.ts';

const directory = await mkdtemp(join(tmpdir(), 'sluice-sshd-'));
// Of its own, so that nothing of other tests is seen in it.
process.env.TMPDIR = directory;
const server = await startSshServer(directory);

after(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const setOn = (world: World, { port, identity, knownHosts }: SshServer, names: readonly string[]) => {
  const url = (name: string) => `ssh://root@127.0.0.1:${port}${world.local(name)}`;
  const hosts = Object.fromEntries(names.map((name) => [name, { url: url(name), identity, knownHosts }]));
  return world.set({ timeout: 60, hosts });
};

test('every command makes one connection a host, and leaves none behind', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('one', '1.0');
  const set = setOn(world, server, ['a', 'b']);
  const earlier = await server.connections();
  const first = await world.sync(set);
  assert.equal(first.outcome, 'committed', JSON.stringify(first.hosts));
  assert.equal((await server.connections()) - earlier, 2);
  assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
  assert.equal((await server.connections()) - earlier, 4);
  const left = (await readdir(directory)).filter((name) => name.startsWith('sluice-ssh-'));
  assert.deepEqual(left, []);
  for (const name of ['a', 'b']) assert.equal((await look(world.local(name))).snapshots.length, 1);
});

test('small files are read without rsync once the connection stands, and by it what a shell cannot say', async (t) => {
  const world = await mirrorWorld(t);
  const root = world.local('a');
  const texts = { 'a b': 'text\n\n', '-x': '' };
  await mkdir(join(root, 'folder'), { recursive: true });
  for (const [name, text] of Object.entries(texts)) await writeFile(join(root, name), text);
  for (const [name, to] of [
    ['link', 'a b'],
    ['gone', 'nowhere'],
  ] as const)
    await symlink(to, join(root, name));
  const { transport } = openHost(setOn(world, server, ['a']), 'a');
  const read = async () =>
    Object.fromEntries(await transport.readTexts([...Object.keys(texts), 'folder', 'link', 'gone']));
  const wanted = { ...texts, link: texts['a b'] };
  const calls = recordCalls(t, world, ['rsync']);
  assert.deepEqual([await read(), calls.all().length], [wanted, 1], 'rsync connects');
  assert.deepEqual([await read(), calls.all().length], [wanted, 1]);
  await writeFile(join(root, '-x'), 'one\0two');
  assert.deepEqual([await read(), calls.all().length], [{ ...wanted, '-x': 'one\0two' }, 2]);
  await transport.close();
});

/** Passes connections on to the server. `freeze`: nothing passes any more on those that stand. */
async function passOn(t: TestContext): Promise<{ readonly port: number; freeze(): void }> {
  const open: Socket[] = [];
  const passing = createServer((client) => {
    const upstream = connect(server.port, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    for (const each of [client, upstream]) each.on('error', () => {});
    open.push(client, upstream);
  });
  await new Promise<void>((resolve) => passing.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    passing.close();
    for (const each of open) each.destroy();
  });
  const freeze = () => {
    for (const each of open) each.unpipe().pause();
  };
  return { port: (passing.address() as AddressInfo).port, freeze };
}

test('small files are read over a new connection where the one that stood is dead', async (t) => {
  const world = await mirrorWorld(t);
  await mkdir(world.local('a'), { recursive: true });
  await writeFile(join(world.local('a'), 'text'), 'one');
  const { port, freeze } = await passOn(t);
  const knownHosts = join(directory, 'passed hosts');
  await writeFile(knownHosts, (await readFile(server.knownHosts, 'utf8')).replace(`:${server.port}`, `:${port}`));
  const set = { ...setOn(world, { ...server, port, knownHosts }, ['a']), timeout: 5 };
  const { transport } = openHost(set, 'a');
  const read = async () => Object.fromEntries(await transport.readTexts(['text']));
  const earlier = await server.connections();
  assert.deepEqual(await read(), { text: 'one' });
  // A shell waits now.
  assert.deepEqual(await read(), { text: 'one' });
  freeze();
  for (const _ of ['by a new connection', 'by another shell']) assert.deepEqual(await read(), { text: 'one' });
  assert.equal((await server.connections()) - earlier, 2);
  await transport.close();
});

test('T33: a host key that is not the expected one is refused, and nothing is sent', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('one', '1.0');
  const knownHosts = join(directory, 'none');
  await writeFile(knownHosts, '');
  const { outcome, hosts } = await world.sync(setOn(world, { ...server, knownHosts }, ['a']));
  assert.deepEqual([outcome, hosts.a?.error?.code], ['failed', 'ssh:255']);
  assert.match(hosts.a?.error?.message ?? '', /Host key verification failed/);
  assert.deepEqual((await look(world.local('a'))).names, []);
});

for (const [key, remedy] of [
  ['identity', 'put the private key there whose public one the account has'],
  ['knownHosts', "put the host's key there, compared with its own"],
] as const) {
  test(`a file of \`${key}\` that is not there is told by its key, with what to put there`, async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('one', '1.0');
    const path = world.local('absent');
    const { outcome, hosts } = await world.sync(setOn(world, { ...server, [key]: path }, ['a']));
    const why = 'ENOENT: no such file or directory';
    const message = `${path}, which \`${key}\` names, cannot be read: ${why}: ${remedy}`;
    assert.deepEqual([outcome, { ...hosts.a?.error }], ['failed', { code: 'ssh:255', message }]);
  });
}
