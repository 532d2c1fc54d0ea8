import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepHelper } from '../../../activities/process/helper.ts';
import { run } from '../../../activities/process/run.ts';
import { untilItSays } from './says.ts';

let end: () => void;
before(() => {
  end = keepHelper();
});
after(() => end());

const parent = async (options = {}) => Number((await run('sh', ['-c', 'echo $PPID'], options)).stdout);
const isGone = async (pid: number) =>
  /^gone$|\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone'));

async function untilGone(pid: number): Promise<void> {
  for (let tries = 0; tries < 1_200 && !(await isGone(pid)); tries += 1) await sleep(50);
  assert.ok(await isGone(pid), `${pid} still runs`);
}

test('programs are started by one other process, those that are heard meanwhile by this one', async () => {
  const [one, two, heard] = [await parent(), await parent(), await parent({ onOutput: () => {} })];
  assert.equal(one, two);
  assert.notEqual(one, process.pid);
  assert.equal(heard, process.pid);
});

test('what a program gets and says is the same by the helper', async () => {
  const { code, stdout } = await run('cat', [], { input: 'hä\0llo' });
  assert.deepEqual([code, stdout], [0, 'hä\0llo']);
  assert.equal((await run('cat', [], { input: Buffer.from([0xff, 0x0a]), encoding: 'latin1' })).stdout, '\xff\n');
  const failed = await run('sh', ['-c', 'pwd; echo "$A" >&2; exit 3'], { cwd: '/', env: { A: 'b' } });
  assert.deepEqual([failed.code, failed.stdout, failed.stderr], [3, '/\n', 'b\n']);
  process.env.SLUICE_TEST_SECRET = 'canary';
  assert.doesNotMatch((await run('env', [])).stdout, /canary/);
  await assert.rejects(run('no-such-program', []), { code: 'ENOENT', message: /no-such-program/ });
  const endless = run('sh', ['-c', 'while :; do echo more and more; done'], { limit: 100_000 });
  await assert.rejects(endless, /^Error: sh printed more than 100000 characters, which is the limit$/);
});

test('a timeout and an abort kill the whole process group', async () => {
  const late = await untilItSays((timeout) => run('sh', ['-c', 'sleep 600 & echo $!; wait'], { timeout }), 'stdout');
  assert.equal(late.timedOut, true);
  assert.match(late.stdout, /^\d+\n$/);
  await untilGone(Number(late.stdout));
  const controller = new AbortController();
  const running = run('sleep', ['60'], { signal: controller.signal });
  controller.abort(new Error('no longer wanted'));
  await assert.rejects(running, /^Error: no longer wanted$/);
});

test('of a helper that was killed what waited hears at once, and the next program has a new one', async () => {
  const pid = await parent();
  const waiting = run('sleep', ['2']);
  process.kill(pid, 'SIGKILL');
  await assert.rejects(waiting, /the process that starts programs has ended|EPIPE|closed/);
  assert.notEqual(await parent(), pid);
});

const script = `
  const at = (name) => import(${JSON.stringify(new URL('../../../activities/process/', import.meta.url).href)} + name);
  (await at('helper.ts')).keepHelper();
  console.log((await (await at('run.ts')).run('sh', ['-c', 'echo $PPID'])).stdout);
  for await (const _ of process.stdin) break;
  `;

const ends: readonly (readonly [says: string, more: string, signal: string | null])[] = [
  ['has nothing left to do', '', null],
  ['is killed', "process.kill(process.pid, 'SIGKILL');", 'SIGKILL'],
];

for (const [says, more, signal] of ends) {
  test(`the helper ends with a process that ${says}, and not by the signal that stops a service`, async () => {
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script + more];
    const child = spawn(process.execPath, args);
    const ended = once(child, 'close');
    const helper = Number(String((await once(child.stdout, 'data'))[0]));
    process.kill(helper, 'SIGTERM');
    child.stdin.write('go on');
    assert.equal((await ended)[1], signal);
    await untilGone(helper);
  });
}
