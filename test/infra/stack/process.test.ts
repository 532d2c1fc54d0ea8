import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DirectoryHeld, lockDirectory, readHolder } from '../../../infra/stack/lock.ts';
import { choosePort, PortTaken } from '../../../infra/stack/ports.ts';
import { Misconfigured, supervise } from '../../../infra/stack/process.ts';

const fixture = fileURLToPath(new URL('fixture.ts', import.meta.url));

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-stack-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function events(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 180_000; Date.now() < deadline; await sleep(20)) if (holds()) return;
  assert.fail(`not so after three minutes: ${what}`);
}

async function startFixture(t: TestContext, how = 'work') {
  const data = directory(t);
  const file = join(data, 'events');
  const lock = await lockDirectory(data, 0);
  const notices: string[] = [];
  const command = [process.execPath, fixture, file, how];
  const supervision = { logs: join(data, 'log'), lock: lock.fd, notice: (line: string) => notices.push(line) };
  const supervised = supervise({ name: 'part', command, ready: 'announced', grace: 60_000 }, supervision);
  return { data, file, lock, notices, supervised };
}

test('a process that is killed comes back, and ends in order when the supervisor says so', async (t) => {
  const { file, lock, notices, supervised } = await startFixture(t);
  await supervised.ready;
  process.kill(supervised.pid() ?? 0, 'SIGKILL');
  await until('it was started again', () => events(file).length === 2);
  await supervised.stop();
  lock.release();
  const [first, second, third] = events(file);
  assert.notEqual(first, second);
  assert.equal(third, second?.replace('start', 'stop'));
  assert.match(notices.join('\n'), /^part ended \(SIGKILL\): started again in 0.2 s$/);
});

test('a process whose configuration is wrong says so, and nothing of its log', async (t) => {
  const { lock, supervised } = await startFixture(t, 'wrong');
  await assert.rejects(supervised.ready, (error: Error) => {
    assert.ok(error instanceof Misconfigured);
    assert.equal(error.message, 'sluice.yaml:1:2: no');
    return true;
  });
  await supervised.stop();
  lock.release();
});

test('a process that cannot start is a fault with the name of its log, and is not started again', async (t) => {
  const { data, lock, supervised } = await startFixture(t, 'fail');
  await assert.rejects(supervised.ready, new Error(`part does not start: see ${join(data, 'log', 'part.log')}`));
  await supervised.stop();
  lock.release();
});

test('a process that still waits for another as it is told to end ends in order, and not when its patience does', async (t) => {
  const { file, lock, supervised } = await startFixture(t, 'wait');
  const ready = assert.rejects(supervised.ready, /^Error: part does not start/);
  await until('it waits', () => existsSync(file));
  await supervised.stop();
  await ready;
  lock.release();
  assert.deepEqual(
    events(file).map((line) => line.split(' ')[0]),
    ['start', 'stop'],
  );
});

test('a held directory names its holder, and is free once the holder lets go', async (t) => {
  const data = directory(t);
  const lock = await lockDirectory(data, 0);
  const addresses = { url: 'http://127.0.0.1:1', temporal: '127.0.0.1:2', namespace: 'default', temporalUi: '' };
  lock.publish(addresses);
  await assert.rejects(lockDirectory(data, 0), (error) => {
    assert.ok(error instanceof DirectoryHeld);
    assert.match(error.message, new RegExp(`held by "sluice.*" \\(process ${process.pid}\\), at http://127.0.0.1:1$`));
    return true;
  });
  assert.deepEqual(readHolder(data)?.stack, addresses);
  lock.release();
  assert.equal(readHolder(data), undefined);
  (await lockDirectory(data, 0)).release();
});

test('whoever has the number of a holder that was killed holds nothing', async (t) => {
  const data = directory(t);
  const lock = await lockDirectory(data, 0);
  const file = join(data, 'holder.json');
  const { begun, ...holder } = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(readHolder(data)?.pid, process.pid);
  writeFileSync(file, JSON.stringify({ ...holder, begun: begun - 1 }));
  assert.equal(readHolder(data), undefined);
  writeFileSync(file, JSON.stringify(holder));
  assert.equal(readHolder(data)?.pid, process.pid, 'of a holder that does not say when it began, the number counts');
  lock.release();
});

test('a killed supervisor leaves nothing that blocks the next one', async (t) => {
  const data = directory(t);
  const file = join(data, 'events');
  const script = join(data, 'supervisor.ts');
  const module = (name: string) => JSON.stringify(new URL(`../../../infra/stack/${name}`, import.meta.url).href);
  writeFileSync(
    script,
    `import { lockDirectory } from ${module('lock.ts')};
     import { supervise } from ${module('process.ts')};
     const [data, ...command] = process.argv.slice(2);
     const lock = await lockDirectory(data, 0);
     const spec = { name: 'part', command, ready: 'announced', grace: 5000 };
     supervise(spec, { logs: data, lock: lock.fd, notice: () => {} });`,
  );
  const supervisor = spawn(process.execPath, [script, data, process.execPath, fixture, file], { stdio: 'inherit' });
  await until('the part works', () => {
    try {
      return events(file).length === 1;
    } catch {
      return false;
    }
  });
  await sleep(200);
  supervisor.kill('SIGKILL');
  await once(supervisor, 'exit');
  const lock = await lockDirectory(data, 0);
  assert.match(events(file).join('\n'), /^start (\d+)\nstop \1$/);
  lock.release();
});

test('a port that is taken is named with the key that changes it', async () => {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  await assert.rejects(choosePort('127.0.0.1', address.port, 'temporal.port'), (error) => {
    assert.ok(error instanceof PortTaken);
    assert.match(error.message, /is taken by another program: give `temporal.port` in sluice.yaml another port/);
    return true;
  });
  server.close();
  const free = await choosePort('127.0.0.1', 0, 'temporal.port');
  assert.ok(free >= 20_000 && free < 32_768, 'below what the system gives away');
});
