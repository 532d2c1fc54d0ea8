import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runInTerminal } from '../../../activities/process/in-terminal.ts';
import { run } from '../../../activities/process/run.ts';
import { findNeeds, meet } from '../../../infra/bootstrap/bootstrap.ts';
import { askEngine } from '../../../infra/bootstrap/engine.ts';
import { checkout, findProgram, findTemporal } from '../../../infra/bootstrap/find.ts';
import type { Step } from '../../../infra/bootstrap/step.ts';
import { tools } from '../../../infra/bootstrap/tools.ts';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-bootstrap-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A step that is good once its file is there. */
function fileStep(file: string, make: () => Promise<void>): Step {
  return {
    name: 'a file',
    why: 'this test',
    check: async () =>
      (await run('test', ['-e', file])).code === 0 ? [] : [{ missing: 'it', part: 'gate', mend: `touch ${file}` }],
    act: make,
  };
}

test('what is missing is found, made good once, and then not missing', async (t) => {
  const file = join(directory(t), 'file');
  let made = 0;
  const step = fileStep(file, async () => {
    made += 1;
    writeFileSync(file, '');
  });
  const [need] = await findNeeds([step]);
  assert.equal(need?.findings[0]?.mend, `touch ${file}`);
  await meet(need, () => {});
  await meet(need, () => {});
  assert.equal(made, 1);
  assert.deepEqual(await findNeeds([step]), []);
});

test('what cannot be made good is named with the command that mends it', async (t) => {
  const file = join(directory(t), 'file');
  const [idle] = await findNeeds([fileStep(file, async () => {})]);
  assert.ok(idle);
  await assert.rejects(
    meet(idle, () => {}),
    new Error(`a file: still missing\n  it: touch ${file}`),
  );
  const [broken] = await findNeeds([
    fileStep(file, () => runInTerminal(['sh', '-c', 'echo no room; exit 4'], () => {})),
  ]);
  assert.ok(broken);
  await assert.rejects(
    meet(broken, () => {}),
    (error: Error) => {
      assert.match(error.message, /^a file: sh -c echo no room; exit 4 ended with 4:\nno room\n {2}it: touch /);
      return true;
    },
  );
});

test('programs are found on PATH and among the system’s, and need the right to run', (t) => {
  const path = directory(t);
  const file = join(path, 'tool');
  writeFileSync(file, '');
  assert.equal(findProgram('tool', path), undefined);
  chmodSync(file, 0o755);
  assert.equal(findProgram('tool', path), file);
  assert.match(findProgram('useradd', '') ?? '', /sbin\/useradd$/);
  assert.equal(findTemporal({ SLUICE_TEMPORAL: file, PATH: '' }), file);
});

test('the container engine answers, or is away', async (t) => {
  const socket = join(directory(t), 'engine.sock');
  const env = { DOCKER_HOST: `unix://${socket}` };
  assert.equal(await askEngine(env), 'away');
  const server = createServer((_, response) => response.end('OK')).listen(socket);
  await new Promise((resolve) => server.once('listening', resolve));
  assert.equal(await askEngine(env), 'answers');
  server.close();
  server.closeAllConnections();
});

/** A machine that lacks nearly all: `apt-get` leaves its words in a file, and installs nothing. */
function bareMachine(t: TestContext) {
  const path = directory(t);
  const bin = join(path, 'bin');
  mkdirSync(bin);
  const called = join(path, 'called');
  writeFileSync(join(bin, 'apt-get'), `#!/bin/sh\necho "$@" >>${called}\n`, { mode: 0o755 });
  for (const name of ['env', 'sudo']) symlinkSync('/usr/bin/env', join(bin, name));
  // A fault of ours that would start an engine finds none to start.
  const env = { PATH: bin, HOME: path, DOCKER_HOST: `unix://${join(path, 'none.sock')}` };
  const up = (...words: string[]) =>
    run(process.execPath, [join(checkout, 'cli/main.ts'), ...words], { cwd: path, env });
  return { up, calls: () => (existsSync(called) ? readFileSync(called, 'utf8') : ''), data: join(path, 'data') };
}

test('B7: up installs nothing unasked: it says what is missing and how to have it', async (t) => {
  const machine = bareMachine(t);
  const { code, stderr } = await machine.up('up');
  assert.equal(code, 1);
  assert.match(stderr, /^This machine lacks what follows; nothing was installed:\n/);
  assert.match(stderr, /Debian packages \(.*\): git, /);
  assert.match(stderr, /'sluice doctor --mend' installs all of it/);
  assert.doesNotMatch(stderr, /chromium/, 'what only the tests need is not asked for');
  assert.equal(machine.calls(), '');
  assert.equal(existsSync(machine.data), false, 'nothing was begun');
});

test('B7: up --yes installs what is missing, after saying what', async (t) => {
  const machine = bareMachine(t);
  const { code, stderr } = await machine.up('up', '--yes');
  assert.equal(code, 1, 'this apt-get brings nothing');
  assert.match(stderr, /^This machine lacks what follows; it is installed now:\n/);
  assert.match(
    machine.calls(),
    /^(-o DPkg::Lock::Timeout=\d+) update -q\n\1 install -q -y --no-install-recommends git /,
  );
});

test('every tool names a program and a Debian package, once', () => {
  const programs = tools.map(({ program }) => program);
  assert.equal(new Set(programs).size, programs.length);
  for (const { package: name } of tools) assert.match(name, /^[a-z0-9][a-z0-9.+-]+$/);
});

test('the launcher works from anywhere and through a link', async (t) => {
  const link = join(directory(t), 'sluice');
  symlinkSync(join(checkout, 'sluice'), link);
  const { code, stdout } = await run(link, ['--version'], { cwd: tmpdir() });
  assert.equal(code, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});
