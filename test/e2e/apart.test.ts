import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, it } from 'node:test';
import { bridgeAddress } from '../../activities/nodes/docker/bridge.ts';
import { must, run } from '../../activities/process/run.ts';
import { sshCommand } from '../../activities/review/ssh-command.ts';
import { checkout, findTemporal } from '../../infra/bootstrap/find.ts';
import { readHolder } from '../../infra/stack/lock.ts';
import type { BuildRecord } from '../../server/api/types.ts';
import { type SshHost, serveSsh } from '../activities/review/ssh-server.ts';
import { type DevServer, startDevServer } from '../infra/temporal/dev-server.ts';
import { type Authority, type Front, type Issued, openAuthority, openFront } from '../infra/temporal/front.ts';
import { writeGreeter } from './faults/greeter.ts';
import { until } from './faults/stack.ts';
import { createWorld, type World } from './faults/world.ts';

const sluiceMain = join(import.meta.dirname, '../../cli/main.ts');

/** A network of two, which root alone makes: this machine, and one that knows nothing of it but two addresses. */
const network = `sluice-${process.pid}`;
const third = process.pid % 250;
const [here, there] = [`10.213.${third}.1`, `10.213.${third}.2`];

/** What is behind TLS, and those who show each other certificates. */
interface Secured {
  readonly directory: string;
  readonly authority: Authority;
  readonly temporal: DevServer;
  /** The way to Temporal; nobody without a certificate passes. */
  readonly front: Front;
  /** For the two addresses, and for Sluice. */
  readonly issued: { readonly server: Issued; readonly sluice: Issued };
}

let secure: Secured;
let host: SshHost | undefined;
let world: World;
let far: Far;
before(async () => {
  await openNetwork();
  secure = await startSecured();
  const plain = await startHost(secure.directory);
  host = plain;
  const { sluice } = secure.issued;
  const tls = { ca: secure.authority.ca, certificate: sluice.certificate, key: { file: sluice.key } };
  const { url, identity, knownHosts } = plain;
  const settings = {
    temporal: { address: secure.front.address, tls },
    connections: { git: { driver: 'git' }, plain: { driver: 'git', url, identity, knownHosts, poll: '1s' } },
    projects: { 'far/greeter': { connection: 'plain' } },
  };
  world = await createWorld({ host: here, jobs: 0, settings });
  far = await startFar(world);
  await proposeFar();
});
after(async () => {
  await far?.end();
  await world?.end();
  host?.end();
  secure?.front.close();
  await secure?.temporal.stop();
  if (secure !== undefined) await rm(secure.directory, { recursive: true, force: true });
  await must('ip', ['netns', 'delete', network]);
});

/** Posts to the server with the token of the far worker. */
function asFar(path: string): Promise<Response> {
  const url = readHolder(world.stack.data)?.stack?.url;
  return fetch(`${url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${far.token}` } });
}

async function startSecured(): Promise<Secured> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-secured-'));
  // The signer may be a user of its own, and shows the certificate, too.
  await chmod(directory, 0o755);
  const authority = await openAuthority(directory);
  const issued = {
    server: await authority.issue('server', [`IP:${here}`]),
    sluice: await authority.issue('sluice', ['DNS:sluice']),
  };
  await chmod(issued.sluice.key, 0o644);
  const program = findTemporal() ?? assert.fail('there is no Temporal server');
  const temporal = await startDevServer(program, { port: 0, database: join(directory, 'temporal.db') });
  await temporal.ready(90_000);
  const behind = { to: temporal.address, as: issued.server, only: authority.ca } as const;
  return { directory, authority, issued, temporal, front: await openFront({ ...behind, protocol: 'h2', host: here }) };
}

/** Proposes at that host, as its users do. */
async function proposeFar(): Promise<void> {
  const source = join(secure.directory, 'source');
  await writeFile(join(source, 'zuul.yaml'), hosted);
  await gitAs('Ada', source, ['add', '--all']);
  await gitAs('Ada', source, ['commit', '-q', '-m', 'Check it far away']);
  await gitAs('Ada', source, ['push', '-q', `${host?.url}/far/greeter.git`, 'HEAD:refs/heads/proposed/rpm']);
}

/** A Git host that Sluice does not serve, with one project. */
async function startHost(directory: string): Promise<SshHost> {
  const root = join(directory, 'host');
  const source = join(directory, 'source');
  await must('git', ['init', '-q', '-b', 'master', source]);
  await writeGreeter(source);
  await gitAs('Ada', source, ['add', '--all']);
  await gitAs('Ada', source, ['commit', '-q', '-m', 'Import greeter']);
  await must('git', ['clone', '-q', '--bare', source, join(root, 'far/greeter.git')]);
  return serveSsh(root, directory);
}

/** Git as one of the host's users. */
async function gitAs(name: string, directory: string, args: readonly string[]): Promise<string> {
  const email = `${name.toLowerCase()}@example.org`;
  const env = {
    ...{ GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email },
    ...(host === undefined ? {} : { GIT_SSH_COMMAND: sshCommand(host) }),
  };
  return (await must('git', ['-C', directory, ...args], { env })).stdout.trim();
}

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

/** Everything of the server is hidden from it but the two addresses, and what an operator brings. */
async function startFar({ stack }: World): Promise<Far> {
  const data = await mkdtemp(join(tmpdir(), 'sluice-far-'));
  const token = join(data, 'token');
  const { file } = JSON.parse(await stack.sluice('token', 'add', 'far', '--json')) as { readonly file: string };
  await copyFile(file, token);
  const { sluice, server: as } = secure.issued;
  const brought = { ca: secure.authority.ca, 'temporal-certificate': sluice.certificate, 'temporal-key': sluice.key };
  for (const [name, file] of Object.entries(brought)) await copyFile(file, join(data, name));
  const { url, temporal } = readHolder(stack.data)?.stack ?? assert.fail('there is no stack');
  const way = await openFront({ to: url.replace('http://', ''), as, protocol: 'http/1.1', host: here });
  const options = Object.entries({
    ...Object.fromEntries(Object.keys(brought).map((name) => [name, join(data, name)])),
    queues: `build-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`,
    ...{ server: `https://${way.address}`, temporal, token, data },
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

const configuration = `- project:
    check: {jobs: [build-deb, lint-deb, publish-deb, install-deb]}
    gate: {jobs: [build-deb, publish-deb, upload]}
    post: {jobs: [release-deb]}
- job:
    name: upload
    run: upload.sh
    secrets: {name: login, secret: upload}
`;

/** What nobody but the program may ever see. */
const canary = `kanarienvogel-${process.pid}-far`;

/** Says it, and returns it. */
const upload = `#!/bin/sh -e
key=$(cat "$SLUICE_SECRETS/login.json")
echo "told: $key"
echo '{"word": "'"$(echo "$key" | tr -dc a-z0-9-)"'"}' >"$SLUICE_RETURN"
echo "characters: $(echo "$key" | tr -dc a-z0-9- | wc -c)"
`;

const hosted = `- project:
    check: {jobs: [build-rpm, lint-rpm, publish-rpm, install-rpm, systest-rpm]}
    gate: {jobs: [build-rpm, publish-rpm]}
`;

const result = ({ result: is, summary }: BuildRecord) => `${is} ${summary}`;

function endOf(change: string, pipeline: string, job: string): Promise<BuildRecord> {
  return until(`the end of ${job} in ${pipeline}`, async () => {
    const builds = await world.stack.get<BuildRecord[]>('/api/builds', { change, limit: 100 });
    const found = builds.find((one) => one.pipeline === pipeline && one.job === job);
    return found?.endTime == null ? undefined : found;
  });
}

/** The canary as a secret of the project. */
async function encrypted(): Promise<string> {
  const file = join(secure.directory, 'plain');
  await writeFile(file, canary);
  const of = ['--project', 'greeter', '--infile', file, '--secret-name', 'upload', '--field-name', 'key'];
  const stanza = await world.stack.sluice('secret', 'encrypt', ...of);
  await rm(file);
  return stanza;
}

it('W17: a worker that shares nothing with the server builds, checks, publishes and installs; the gate takes its build over', async () => {
  const { stack } = world;
  // What an administrator does once: the signer is told whose builds to trust.
  const key = await until('the key of the worker', () => readFile(join(far.data, 'builder-key/builder.pub'), 'utf8'));
  assert.match(key, /PUBLIC KEY/);
  await copyFile(join(far.data, 'builder-key/builder.pub'), join(stack.data, 'keys/builders/far.pub'));
  const secret = await encrypted();
  const files = { 'zuul.yaml': `${secret}\n${configuration}`, 'upload.sh': upload };
  const change = await world.propose('apart', files);
  const ended = (pipeline: string, job: string) => endOf(change.id, pipeline, job);
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
  const late = await asFar(`/api/worker/builds/${built.id}/logs/x.log?do=begin`);
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
  const told = await ended('gate', 'upload');
  assert.match(result(told), /^SUCCESS /);
  const log = await world.log(told);
  assert.match(log, /^.*told: \{"key":"\[secret\]"\}$/m);
  assert.match(log, new RegExp(`characters: ${'key'.length + canary.length}$`, 'm'), 'the program had it');
  assert.match(result(await ended('post', 'release-deb')), /^SUCCESS .*promoted/);
  assert.equal((await world.released('deb')).packages.length, 1);
});

it('I9: a project of a plain Git host elsewhere goes through check and gate on it, RPM, over SSH', async () => {
  const id = 'plain:far/greeter@rpm';
  const jobs = ['build-rpm', 'lint-rpm', 'publish-rpm', 'install-rpm', 'systest-rpm'];
  for (const job of jobs) assert.match(result(await endOf(id, 'check', job)), /^SUCCESS /, job);
  const source = join(secure.directory, 'source');
  await gitAs('Bob', source, ['notes', '--ref=votes/bob', 'append', '-m', 'Approved: +1', 'HEAD']);
  await gitAs('Bob', source, ['push', '-q', `${host?.url}/far/greeter.git`, 'refs/notes/votes/bob']);
  for (const job of ['build-rpm', 'publish-rpm']) assert.match(result(await endOf(id, 'gate', job)), /^SUCCESS /, job);
  const proposed = await gitAs('Ada', source, ['rev-parse', 'HEAD']);
  const bare = join(secure.directory, 'host/far/greeter.git');
  await until('it is merged', async () =>
    (await gitAs('Ada', bare, ['rev-parse', 'master'])) === proposed ? true : undefined,
  );
});

it('what people have built and tried by hand through the server is done on it, too', async () => {
  const { stack } = world;
  const [source, out] = [join(secure.directory, 'by hand'), join(secure.directory, 'out')];
  await writeGreeter(source);
  const platform = ['--platform', 'rpm-debian-12'];
  const { result, files } = JSON.parse(await stack.sluice('build', source, ...platform, '--out', out, '--json'));
  assert.equal(result, 'SUCCESS');
  const there = await readdir(out);
  for (const name of [...files, 'junit.xml', 'lint.json', 'logs', 'greeter.intoto.jsonl'])
    assert.ok(there.includes(name));
  const repository = join(secure.directory, 'repository');
  const built = files.filter((name: string) => !name.endsWith('.src.rpm')).map((name: string) => join(out, name));
  await must(process.execPath, [sluiceMain, 'repo', 'publish', repository, '--format', 'rpm', ...built]);
  assert.match(await stack.sluice('install-test', repository, 'greeter', ...platform), /^greeter newest: install ok/);
  const builds = await stack.get<BuildRecord[]>('/api/builds', { pipeline: 'by-hand', limit: 10 });
  assert.deepEqual(builds.map(({ job }) => job).sort(), ['build-by-hand', 'install-test-by-hand']);
});

it('I9: a secret that a program had on it is in no history, log, artifact or file of either machine', async () => {
  const places = [dirname(world.stack.data), far.data, secure.directory];
  const { stdout } = await run('grep', ['-rlaF', canary, ...places]);
  assert.equal(stdout, '');
  const found = await run('grep', ['-rlaF', 'upload.sh', secure.directory]);
  assert.match(found.stdout, /temporal\.db/, 'histories are searched');
});
