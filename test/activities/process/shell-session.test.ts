import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ShellSession } from '../../../activities/process/shell-session.ts';

function begin(t: TestContext, program: string, args: readonly string[] = []): ShellSession {
  const session = new ShellSession(program, args);
  t.after(() => session.stop());
  return session;
}

/** Waits until a process is gone, or a zombie that its new parent has not collected yet. */
async function hasEnded(pid: number): Promise<void> {
  const state = () => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone');
  while (!/^gone$|\) Z /.test(await state())) await sleep(20);
}

test('one shell runs one script after another, each with its arguments and no input', async (t) => {
  const session = begin(t, 'sh');
  const pids = new Set<string>();
  const hostile = ['$(id)', '; exit 3', "it's", '', 'ä\nb'];
  for (const args of [hostile, [], ['one']]) {
    const { text, code } = await session.run('echo $$; cat; printf "%s|" "$@"; return; echo not', args);
    const [, pid = '', printed] = /^(\d+)\n(.*)$/s.exec(text ?? '') ?? [];
    pids.add(pid);
    assert.deepEqual([printed, code, session.free], [args.length > 0 ? `${args.join('|')}|` : '|', null, true]);
  }
  assert.equal(pids.size, 1);
});

test('what a script prints comes back whole, however long it is', async (t) => {
  const session = begin(t, 'sh');
  const long = await session.run('seq 200000', []);
  assert.equal(long.text, `${Array.from({ length: 200_000 }, (_, at) => at + 1).join('\n')}\n`);
  assert.equal((await session.run('', [])).text, '');
});

test('of a shell that ends over a script there is what it printed, and it takes no more', async (t) => {
  const session = begin(t, 'sh');
  await session.run('echo one', []);
  assert.deepEqual(await session.run('echo two; exit 7', []), { text: 'two\n', code: 7, timedOut: false });
  assert.equal(session.free, false);
});

test('what is no shell gives no answer: neither what repeats its input, nor what waits for its end', async (t) => {
  const script = ['echo one', []] as const;
  const rows: readonly (readonly [program: string, args: readonly string[], code: number | null])[] = [
    ['cat', [], 0],
    ['sh', ['-c', 'cat >/dev/null; exit 3'], 3],
    ['sh', ['-c', 'echo only rsync here; exit 1'], 1],
    // As with a start-up file that prints something.
    ['sh', ['-c', 'echo welcome; exec sh'], null],
  ];
  for (const [program, args, code] of rows) {
    const session = begin(t, program, args);
    const said = await session.run(...script, { silence: 4_000 });
    assert.deepEqual([said, session.answered, session.free], [{ text: null, code, timedOut: false }, false, false]);
  }
});

test('a shell that says nothing for too long is killed with what it runs', async (t) => {
  const session = begin(t, 'sh');
  const pid = Number((await session.run('sleep 600 >/dev/null 2>&1 & echo $!', [])).text);
  const { timedOut } = await session.run('sleep 600', [], { silence: 100 });
  assert.deepEqual([timedOut, session.free], [true, false]);
  await hasEnded(pid);
});

test('words on either output are signs of life', async (t) => {
  const session = begin(t, 'sh');
  const script = 'for one in 1 2 3 4 5 6; do sleep 0.5; echo; sleep 0.5; echo >&2; done';
  assert.deepEqual(await session.run(script, [], { silence: 4_000 }), {
    text: '\n'.repeat(6),
    code: null,
    timedOut: false,
  });
});

test('an abort kills the shell, and rejects with its reason', async (t) => {
  const session = begin(t, 'sh');
  const controller = new AbortController();
  const running = session.run('sleep 600', [], { signal: controller.signal });
  controller.abort(new Error('no longer wanted'));
  await assert.rejects(running, /no longer wanted/);
  assert.equal(session.free, false);
});

test('a shell that waits keeps nobody from ending, and ends then', async () => {
  const module = resolve(import.meta.dirname, '../../../activities/process/shell-session.ts');
  const script = `
    const { ShellSession } = await import(${JSON.stringify(module)});
    process.stdout.write((await new ShellSession('sh', []).run('echo $$', [])).text);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (some: Buffer) => {
    text += some;
  });
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.match(text, /^\d+\n$/);
  await hasEnded(Number(text));
});
