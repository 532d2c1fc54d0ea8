import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkout } from '../../../infra/bootstrap/find.ts';
import { findSigner } from '../../../infra/bootstrap/signer.ts';
import { readHolder, type StackAddresses } from '../../../infra/stack/lock.ts';
import type { StatusView } from '../../../server/api/types.ts';
import { execute } from '../../cli/run.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-up-'));
const data = join(directory, 'data');
const main = join(checkout, 'cli', 'main.ts');

function startUp(): ChildProcess {
  return spawn(process.execPath, [main, 'up'], { cwd: directory, stdio: 'ignore' });
}

async function until<T>(what: string, find: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const deadline = Date.now() + 300_000; Date.now() < deadline; await sleep(50)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  assert.fail(`not so after five minutes: ${what}`);
}

function untilReady(up: ChildProcess): Promise<StackAddresses> {
  return until('the stack is ready', () => {
    assert.equal(up.exitCode, null, 'it ended');
    const holder = readHolder(data);
    return holder?.pid === up.pid ? (holder?.stack ?? undefined) : undefined;
  });
}

async function isReady(url: string): Promise<true | undefined> {
  const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
  return answer?.ok ? true : undefined;
}

/** The process of the stack whose command line holds all of `words`. */
function findProcess(...words: readonly string[]): number | undefined {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return all.find((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const env = readFileSync(`/proc/${pid}/environ`, 'utf8');
      return words.every((word) => line.includes(word)) && (env + line).includes(data);
    } catch {
      return false;
    }
  });
}

let up: ChildProcess;
let stack: StackAddresses;

before(async () => {
  writeFileSync(join(directory, 'sluice.yaml'), 'server: {listen: "127.0.0.1:0"}\ntemporal: {port: 0, uiPort: 0}\n');
  up = startUp();
  stack = await untilReady(up);
});

after(async () => {
  if (up.kill('SIGTERM')) await once(up, 'exit');
  rmSync(directory, { recursive: true, force: true });
});

test('page, API and Temporal’s Web UI answer', async () => {
  for (const url of [`${stack.url}/`, `${stack.url}/api/status`, stack.temporalUi])
    assert.ok((await fetch(url)).ok, url);
});

test('a second stack on the same data is refused with the holder and its address', async () => {
  const second = spawn(process.execPath, [main, 'up'], { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  second.stderr.on('data', (text) => (said += text));
  const [status] = await once(second, 'close');
  assert.equal(status, 3);
  assert.match(said, new RegExp(`held by "sluice up" \\(process ${up.pid}\\), at ${stack.url}`));
});

test('B2: SIGHUP and reload read sluice.yaml again; a broken one is refused, and all goes on', async () => {
  const file = join(directory, 'sluice.yaml');
  const before = readFileSync(file, 'utf8');
  const status = async () => (await (await fetch(`${stack.url}/api/status`)).json()) as StatusView;
  const mirror = (name: string) => `mirrors: {${name}: {source: ./x, hosts: {m1: {url: ./m}}}}\n`;
  writeFileSync(file, before + mirror('deb'));
  assert.match((await status()).configuration?.text ?? '', /mirrors\.deb \(`sluice reload` takes that over\)/);
  up.kill('SIGHUP');
  await until(
    'the set of mirrors is known',
    async () => (await status()).unsyncedMirrors?.includes('deb') || undefined,
  );
  assert.equal((await status()).configuration, null);
  writeFileSync(file, `${before}mirors: {}\n`);
  const words = ['reload', '--server', stack.url];
  const refused = execute(words, directory);
  assert.equal(refused.status, 2);
  assert.match(
    refused.stderr,
    /sluice\.yaml:3:1: "mirors" is not a known key \(did you mean "mirrors"\?\)\n.*goes on with what was read before/,
  );
  assert.deepEqual([(await status()).configuration?.kind, (await status()).unsyncedMirrors], ['broken', ['deb']]);
  const log = join(data, 'log', 'server.log');
  const broken = 'is broken, and what was read before goes on';
  await until('the log says that it is broken', () => readFileSync(log, 'utf8').includes(broken) || undefined);
  writeFileSync(file, before + mirror('rpm').replace('mirrors', 'workers: {build: 3}\nmirrors'));
  const reloaded = execute(words, directory);
  assert.equal(reloaded.status, 0, reloaded.stderr);
  assert.match(
    reloaded.stdout,
    /^Holds from now on: mirrors\.deb, mirrors\.rpm\nNeeds a restart .*: workers\.build\n$/,
  );
  assert.deepEqual((await status()).unsyncedMirrors, ['rpm']);
  writeFileSync(file, before);
});

test('the key is the signer’s alone', () => {
  const { uid, mode } = statSync(join(data, 'keys'));
  assert.equal(mode & 0o777, 0o700);
  assert.equal(uid, process.getuid?.() === 0 ? findSigner()?.uid : process.getuid?.());
  assert.match(
    readFileSync(
      join(data, 'public-keys', readdirSync(join(data, 'public-keys')).find((name) => name.endsWith('.asc')) ?? ''),
      'utf8',
    ),
    /BEGIN PGP PUBLIC KEY/,
  );
});

for (const [what, words] of [
  ['server', ['cli/main.ts', 'server']],
  ['Temporal', ['start-dev']],
  ['build worker', ['cli/main.ts', 'build-']],
  ['signer', ['cli/main.ts', 'sign']],
] as const) {
  test(`the ${what} comes back after kill -9, at the same address`, async () => {
    const pid = findProcess(...words);
    assert.ok(pid, `there is a ${what}`);
    process.kill(pid, 'SIGKILL');
    await until(`a new ${what}`, () => {
      const found = findProcess(...words);
      return found === pid ? undefined : found;
    });
    await until('the server answers', () => isReady(stack.url));
  });
}

test('after kill -9 of everything’s parent the next one starts, and what it left is gone', async () => {
  const server = findProcess('cli/main.ts', 'server');
  up.kill('SIGKILL');
  await once(up, 'exit');
  up = startUp();
  stack = await untilReady(up);
  assert.ok(await isReady(stack.url));
  assert.notEqual(findProcess('cli/main.ts', 'server'), server);
});

test('Ctrl-C ends everything, a signer that hangs and its agent too, and the directory is free', async () => {
  const signer = findProcess('cli/main.ts', 'sign');
  assert.ok(signer && findProcess('gpg-agent'));
  process.kill(signer, 'SIGSTOP');
  up.kill('SIGINT');
  const [status] = await once(up, 'exit');
  assert.equal(status, 0);
  assert.equal(readHolder(data), undefined);
  assert.equal(findProcess('start-dev'), undefined);
  assert.equal(findProcess('cli/main.ts'), undefined);
  await until('the agent has ended', () => findProcess('gpg-agent') === undefined || undefined);
  up = startUp();
  stack = await untilReady(up);
});

test('F15: the logs of our processes are lines of JSON with time, level and message', () => {
  for (const name of ['server', 'build-worker', 'signer']) {
    const lines = readFileSync(join(data, 'log', `${name}.log`), 'utf8').split('\n');
    for (const line of lines.filter((each) => each !== '')) {
      const { time, level, msg } = JSON.parse(line);
      assert.ok(time && level && typeof msg === 'string', `${name}: ${line}`);
    }
  }
});

test('F18: a start that fails half-way leaves nothing running, and the directory free', async () => {
  const other = mkdtempSync(join(tmpdir(), 'sluice-half-'));
  try {
    const text = 'server: {listen: "127.0.0.1:0"}\ntemporal: {port: 0, uiPort: 0}\n';
    writeFileSync(join(other, 'sluice.yaml'), text);
    mkdirSync(join(other, 'data'));
    // The server cannot make its directory: it ends while the others come up.
    writeFileSync(join(other, 'data', 'git'), '');
    const failed = await endOf(other);
    assert.match(failed, /server does not start: .*\/git\b.*\nsee .*server\.log/);
    assert.equal(readHolder(join(other, 'data')), undefined);
    assert.deepEqual(processesOf(other), []);
    rmSync(join(other, 'data'), { recursive: true });
    writeFileSync(join(other, 'sluice.yaml'), `${text}release:\n  keys:\n    sign: [nobody]\n    former: [x]\n`);
    const refused = await endOf(other, [2]);
    assert.match(refused, /sluice\.yaml:5:12: release\.keys\.sign\.0: no secret key is called nobody; there are:\n/);
    assert.match(refused, /sluice\.yaml:6:14: release\.keys\.former\.0: no key is called x:\n/);
    assert.deepEqual(processesOf(other), []);
    writeFileSync(join(other, 'sluice.yaml'), text.replace('127.0.0.1:0', new URL(stack.url).host));
    assert.match(await endOf(other), /is taken by another program: give 'server\.listen'/);
    assert.deepEqual(processesOf(other), []);
  } finally {
    rmSync(other, { recursive: true });
  }
});

/** Runs `up` to its end, and answers with what it said. */
async function endOf(cwd: string, expected: readonly number[] = [1, 2, 3]): Promise<string> {
  const child = spawn(process.execPath, [main, 'up'], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  const [status] = await once(child, 'close');
  assert.ok(expected.includes(status), `${status}: ${said}`);
  return said;
}

function processesOf(path: string): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'utf8').includes(path);
    } catch {
      return false;
    }
  });
}
