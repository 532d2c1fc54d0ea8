import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { createServer, connect as dial, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, it } from 'node:test';
import { bridgeAddress } from '../../activities/nodes/docker/bridge.ts';
import { must } from '../../activities/process/run.ts';
import { checkout } from '../../infra/bootstrap/find.ts';
import { readHolder } from '../../infra/stack/lock.ts';
import type { BuildRecord } from '../../server/api/types.ts';
import { until } from './faults/stack.ts';
import { createWorld, type World } from './faults/world.ts';

/** A network of two, which root alone makes: this machine, and one that knows nothing of it but two addresses. */
const network = `sluice-${process.pid}`;
const third = process.pid % 250;
const [here, there] = [`10.213.${third}.1`, `10.213.${third}.2`];

let world: World;
let far: Far;
before(async () => {
  await openNetwork();
  world = await createWorld({ host: here, jobs: 0 });
  far = await startFar(world);
});
after(async () => {
  await far?.end();
  await world?.end();
  await must('ip', ['netns', 'delete', network]);
});

async function openNetwork(): Promise<void> {
  const [near, distant] = [`sa${process.pid}`, `sb${process.pid}`];
  for (const line of [
    `netns add ${network}`,
    `link add ${near} type veth peer name ${distant} netns ${network}`,
    `address add ${here}/30 dev ${near}`,
    `link set ${near} up`,
    `-n ${network} address add ${there}/30 dev ${distant}`,
    `-n ${network} link set ${distant} up`,
  ]) {
    await must('ip', line.split(' '));
  }
}

/** A worker with file systems, a network and a name of its own. */
interface Far {
  readonly process: ChildProcess;
  readonly data: string;
  readonly token: string;
  end(): Promise<void>;
}

/** Everything of the server is hidden from it but the two addresses, and the token that an operator brings. */
async function startFar({ stack }: World): Promise<Far> {
  const data = await mkdtemp(join(tmpdir(), 'sluice-far-'));
  const token = join(data, 'token');
  const { file } = JSON.parse(await stack.sluice('token', 'add', 'far', '--json')) as { readonly file: string };
  await copyFile(file, token);
  const { url, temporal } = readHolder(stack.data)?.stack ?? assert.fail('there is no stack');
  const way = await forward(temporal);
  const { port } = way.address() as { readonly port: number };
  const options = Object.entries({
    queues: `build-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`,
    ...{ server: url, temporal: `${here}:${port}`, token, data },
    // Both machines of this test have one engine: its containers are on this one.
    'container-url': url.replace(here, await bridgeAddress()),
  }).map(([name, value]) => `--${name}=${value}`);
  const alone = 'hostname far && mount -t tmpfs none "$0" && exec "$@"';
  const worker = [process.execPath, join(checkout, 'cli/main.ts'), 'worker', ...options];
  const inside = ['unshare', '--mount', '--uts', 'sh', '-c', alone, dirname(stack.data), ...worker];
  const child = spawn('ip', ['netns', 'exec', network, ...inside], { stdio: ['ignore', 'ignore', 'inherit'] });
  return {
    ...{ process: child, data, token: (await readFile(token, 'utf8')).trim() },
    async end() {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      way.close();
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** Temporal's own server listens for this machine alone. */
async function forward(address: string): Promise<Server> {
  const [host = '', port] = address.split(':');
  const server = createServer((from) => {
    const to = dial(Number(port), host);
    from.pipe(to).pipe(from);
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on('error', () => other.destroy());
    }
  });
  server.listen(0, here);
  await once(server, 'listening');
  return server;
}

const configuration = `- project:
    check: {jobs: [build-deb, lint-deb, publish-deb, install-deb]}
    gate: {jobs: [build-deb, publish-deb]}
    post: {jobs: [release-deb]}
`;

it('W17: a worker that shares nothing with the server builds, checks, publishes and installs; the gate takes its build over', async () => {
  const { stack } = world;
  // What an administrator does once: the signer is told whose builds to trust.
  const key = await until('the key of the worker', () => readFile(join(far.data, 'builder-key/builder.pub'), 'utf8'));
  assert.match(key, /PUBLIC KEY/);
  await copyFile(join(far.data, 'builder-key/builder.pub'), join(stack.data, 'keys/builders/far.pub'));
  const change = await world.propose('apart', { 'zuul.yaml': configuration });
  const ended = (pipeline: string, job: string) =>
    until(`the end of ${job} in ${pipeline}`, async () => {
      const found = (await world.builds(change)).find((one) => one.pipeline === pipeline && one.job === job);
      return found?.endTime == null ? undefined : found;
    });
  const result = ({ result: is, summary }: BuildRecord) => `${is} ${summary}`;
  const built = await ended('check', 'build-deb');
  assert.match(result(built), /^SUCCESS greeter \S+: 1 package$/);
  for (const job of ['lint-deb', 'publish-deb', 'install-deb'])
    assert.match(result(await ended('check', job)), /^SUCCESS /);
  assert.match(await world.log(built), /=== \[[\d:]+\] SUCCESS: greeter \S+: 1 package\n$/);

  const root = `/proc/${far.process.pid}/root`;
  assert.deepEqual(await readdir(join(root, dirname(stack.data))), [], 'it sees no directory of the server');
  for (const kind of ['net', 'mnt', 'uts']) {
    assert.notEqual(await readlink(`/proc/${far.process.pid}/ns/${kind}`), await readlink(`/proc/self/ns/${kind}`));
  }
  const late = await fetch(`${readHolder(stack.data)?.stack?.url}/api/worker/builds/${built.id}/logs/x.log?do=begin`, {
    method: 'POST',
    headers: { authorization: `Bearer ${far.token}` },
  });
  assert.deepEqual(
    [late.status, ((await late.json()) as { error: string }).error],
    [403, `the worker far does not run the build ${built.id}: what it may do is for its own builds alone`],
  );

  await stack.sluice('approve', change.id);
  const gated = await ended('gate', 'build-deb');
  assert.match(result(gated), /^SUCCESS greeter \S+: 1 package, reused the build of \S+,1 in check$/);
  const [inputs, again] = [built, gated].map(({ artifacts }) => artifacts[0]?.metadata?.inputs);
  assert.match(String(inputs), /^sha256:/);
  assert.equal(again, inputs);
  const shown = await stack.sluice('artifacts', gated.id);
  assert.match(shown, new RegExp(`inputs ${inputs}, made by the build ${built.id}`));
  assert.match(result(await ended('gate', 'publish-deb')), /^SUCCESS /);
  assert.match(result(await ended('post', 'release-deb')), /^SUCCESS .*promoted/);
  assert.equal((await world.released('deb')).packages.length, 1);
});
