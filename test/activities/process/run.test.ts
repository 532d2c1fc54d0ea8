import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { must, run } from '../../../activities/process/run.ts';
import { busyTime, recordTools } from '../../../activities/process/timing.ts';
import { untilItSays } from './says.ts';

test('a program gets its input and its output comes back', async () => {
  const result = await run('cat', [], { input: 'hello' });
  assert.deepEqual({ code: result.code, stdout: result.stdout }, { code: 0, stdout: 'hello' });
});

test('arguments reach the program as they are, whatever a shell would make of them', async () => {
  const hostile = ['$(id)', '; rm -rf x', '-n', 'a\nb', "it's"];
  const result = await run('printf', ['%s|', '--', ...hostile]);
  assert.equal(result.stdout, `${['--', ...hostile].join('|')}|`);
});

test('a failure names the program, its exit code and its last words', async () => {
  await assert.rejects(must('sh', ['-c', 'echo no space left >&2; exit 3']), /sh -c ended with 3: no space left/);
});

test('a timeout kills the whole process group', async () => {
  const result = await untilItSays((timeout) => run('sh', ['-c', 'sleep 600 & echo $!; wait'], { timeout }), 'stdout');
  assert.equal(result.timedOut, true);
  assert.match(result.stdout, /^\d+\n$/);
  // Killed is gone, or a zombie that its new parent has not collected yet.
  const state = await readFile(`/proc/${result.stdout.trim()}/stat`, 'utf8').catch(() => 'gone');
  assert.match(state, /^gone$|\) Z /);
});

test('an abort kills the program and rejects with its reason', async () => {
  const controller = new AbortController();
  const running = run('sleep', ['60'], { signal: controller.signal });
  controller.abort(new Error('no longer wanted'));
  await assert.rejects(running, /no longer wanted/);
});

test('a program that is not there is an error that names it', async () => {
  await assert.rejects(run('no-such-program', []), /no-such-program/);
});

test('the environment is not handed on but for what is named', async () => {
  process.env.SLUICE_TEST_SECRET = 'canary';
  const result = await run('env', [], { env: { EXTRA: '1' } });
  assert.match(result.stdout, /^EXTRA=1$/m);
  assert.doesNotMatch(result.stdout, /canary/);
});

test('tools that ran side by side count once', async () => {
  const { tools } = await recordTools(() => Promise.all([run('sleep', ['0.05']), run('sleep', ['0.05'])]));
  assert.deepEqual(
    tools.map(({ tool }) => tool),
    ['sleep', 'sleep'],
  );
  const spans = [
    { tool: 'a', start: 0, end: 10 },
    { tool: 'b', start: 5, end: 20 },
    { tool: 'c', start: 30, end: 31 },
  ];
  assert.equal(busyTime(spans), 21);
});

test('a program that ends with us does not outlive a parent that is killed', async () => {
  const module = new URL('../../../activities/process/run.ts', import.meta.url).href;
  const script = `const { run } = await import(${JSON.stringify(module)});
    run('sleep', ['300'], { endsWithUs: true, onOutput: () => {} });
    console.log('started');`;
  const parent = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    script,
  ]);
  await once(parent.stdout, 'data');
  const child = (await readFile(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8')).trim();
  // Another program arranges that it ends with us, and becomes it.
  const isSleep = async () => (await readFile(`/proc/${child}/comm`, 'utf8')) === 'sleep\n';
  for (let tries = 0; tries < 1_200 && !(await isSleep()); tries += 1) await sleep(50);
  assert.ok(await isSleep());
  parent.kill('SIGKILL');
  await once(parent, 'close');
  // Who inherits it may take its time to bury it.
  const isOver = async () => /^gone$|\) Z /.test(await readFile(`/proc/${child}/stat`, 'utf8').catch(() => 'gone'));
  for (let tries = 0; tries < 1_200 && !(await isOver()); tries += 1) await sleep(50);
  assert.ok(await isOver());
});

test('R15: a program that prints more than it may is ended, and said so', async () => {
  const endless = run('sh', ['-c', 'while :; do echo more and more; done'], { limit: 100_000 });
  await assert.rejects(endless, /^Error: sh printed more than 100000 characters, which is the limit$/);
  assert.equal((await run('echo', ['enough'], { limit: 7 })).stdout, 'enough\n');
});
