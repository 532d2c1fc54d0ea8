import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDockerEngine } from '../../activities/nodes/docker/engine.ts';
import type { Container, ContainerSpec } from '../../activities/nodes/docker/spec.ts';
import { ensureImages } from '../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../infra/images/platforms.ts';

const engine = createDockerEngine();
const signal = AbortSignal.timeout(600_000);
const build = `test-walls-${process.pid}`;
const spec: ContainerSpec = {
  image: 'sluice/debian-12:minimal',
  build,
  network: 'default',
  limits: { cpus: 1, memoryMiB: 256, pids: 60, diskMiB: 16 },
  privileges: 'default',
  scratch: ['/tmp', '/var/tmp'],
};
let ours: Container;
let theirs: Container;

before(async () => {
  await ensureImages(builtInPlatforms.slice(0, 1), () => {});
  process.env.SLUICE_CANARY = 'nothing for strangers';
  [ours, theirs] = await Promise.all([
    engine.start(spec),
    engine.start({ ...spec, build: `${build}-b`, privileges: 'system' }),
  ]);
});
after(() => Promise.all([engine.sweep(build), engine.sweep(`${build}-b`)]));

async function run(container: Container, script: string, user = 'root'): Promise<string> {
  return (await container.exec(['sh', '-c', script], { signal, user, timeout: 60_000 })).output.trim();
}

const perl = (code: string) => `perl -MSocket -MIO::Socket::INET -e '${code}'`;
const connect = (address: string, port: number) =>
  perl(`print IO::Socket::INET->new(PeerAddr => "${address}:${port}", Timeout => 3) ? "reached" : "no"`);

async function addressOf(container: Container): Promise<string> {
  return (await run(container, 'hostname -I')).split(/\s+/)[0] ?? '';
}

test('R15: builds do not share a network, and do not reach each other', async () => {
  const [mine, other] = [await addressOf(ours), await addressOf(theirs)];
  assert.match(mine, /^198\.19\./);
  assert.notEqual(mine.split('.').slice(0, 3).join('.') + mine.slice(-3), other);
  const listen = perl('my $s = IO::Socket::INET->new(LocalPort => 7000, Listen => 5, ReuseAddr => 1) or die; sleep 60');
  const server = theirs.exec(['sh', '-c', listen], { signal, timeout: 90_000 }).catch(() => {});
  for (;;) {
    if ((await run(theirs, connect(other, 7000))) === 'reached') break;
    await sleep(100);
  }
  assert.equal(await run(ours, connect(other, 7000)), 'no');
  await theirs.quiet();
  await server;
});

for (const [privileges, who] of [
  ['default', 'a build'],
  ['system', 'a system under test'],
] as const) {
  test(`R15: root in ${who} opens no raw socket, makes no device, mounts nothing`, async () => {
    const container = privileges === 'default' ? ours : theirs;
    assert.match(await run(container, perl('socket(S, AF_INET, SOCK_RAW, 1) or print "raw: $!"')), /not permitted/);
    assert.match(await run(container, perl('socket(S, 17, SOCK_RAW, 3) or print "packet: $!"')), /not permitted/);
    assert.match(await run(container, 'mknod /tmp/null c 1 3'), /not permitted/);
    assert.match(
      await run(
        container,
        perl('my ($a, $b, $c) = ("t", "/mnt", "tmpfs"); syscall(165, $a, $b, $c, 0, 0) == 0 or print "mount: $!"'),
      ),
      /not permitted/,
    );
    assert.match(await run(container, 'echo 1 > /proc/sys/kernel/domainname'), /Read-only/);
  });
}

test('a program with the set-user-id bit gains nothing in a build, and works on a system under test', async () => {
  const script = 'cp /usr/bin/id /usr/local/bin/gain; chmod 4755 /usr/local/bin/gain';
  for (const [container, euid] of [
    [ours, /^(?!.*euid=0)/],
    [theirs, /euid=0/],
  ] as const) {
    await run(container, script);
    assert.match(await run(container, '/usr/local/bin/gain', 'nobody'), euid);
  }
  assert.match(await run(ours, 'grep NoNewPrivs /proc/self/status', 'nobody'), /1$/);
});

test('packages with users, file capabilities and set-user-id programs are installed in a build', async () => {
  const install = 'apt-get -qq -y --no-install-recommends install iputils-ping uuid-runtime openssh-client >/dev/null';
  const said = await run(ours, `DEBIAN_FRONTEND=noninteractive ${install} && getent passwd uuidd && echo ok`);
  assert.match(said, /uuidd(.|\n)*ok$/);
});

test('what everybody may write to is limited, and no limit is reached outside of it', async () => {
  const open = await run(ours, 'find / -xdev -type d -perm -0002 2>/dev/null', 'root');
  const places = open.split('\n');
  assert.deepEqual(places.toSorted(), ['/run/lock', '/tmp', '/var/tmp'], 'others would be on the disk of the engine');
  for (const directory of [...places, '/dev/shm']) {
    const said = await run(
      ours,
      `dd if=/dev/zero of=${directory}/fill bs=1M count=100; rm ${directory}/fill`,
      'nobody',
    );
    assert.match(said, /No space left on device/, directory);
  }
});

test('a program that forks for ever is stopped by the limit, and ended', async () => {
  await run(ours, 'setsid sh -c "f() { f & f & sleep 1; f; }; f" >/dev/null 2>&1 & sleep 2', 'nobody');
  await ours.quiet();
  assert.equal(await run(ours, 'echo alive'), 'alive');
});

test("the worker's environment and the host's files are not seen", async () => {
  const said = await run(ours, 'cat /proc/[0-9]*/environ; cat /proc/self/mountinfo; ls /var/run/docker.sock');
  assert.doesNotMatch(said, /nothing for strangers/);
  assert.match(said, /cannot access '\/var\/run\/docker\.sock'/);
});

test('a network of its own goes with its container', async () => {
  const { default: Docker } = await import('dockerode');
  const docker = new Docker();
  const id = `${build}-gone`;
  const container = await engine.start({ ...spec, build: id, network: 'later' });
  assert.equal(await run(container, 'cat /proc/net/dev | grep -c eth0'), '0');
  await container.open();
  assert.equal(await run(container, 'cat /proc/net/dev | grep -c eth0'), '1');
  await container.close();
  assert.equal(await run(container, 'cat /proc/net/dev | grep -c eth0'), '0');
  const filters = { label: [`sluice.build=${id}`] };
  assert.equal((await docker.listNetworks({ filters })).length, 1);
  await container.remove();
  assert.equal((await docker.listNetworks({ filters })).length, 0);
});
