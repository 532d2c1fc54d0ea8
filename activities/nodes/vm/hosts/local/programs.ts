import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunResult, run as runHere } from '../../../../process/run.ts';
import type { HostRunOptions, Launch } from '../port.ts';
import { consoleFile, scripts } from '../scripts.ts';

/** Milliseconds between two looks whether an emulator listens. */
const pause = 10;

/** Exit code of a program that was killed. */
const killedCode = 137;

/** Runs a program to its end. @throws when there is no such program */
export async function run(
  program: string,
  args: readonly string[],
  { timeout, fatal }: HostRunOptions = {},
): Promise<RunResult> {
  const over = new AbortController();
  let said = '';
  const onOutput = (text: string) => {
    said += text;
    if (fatal?.test(said)) over.abort();
  };
  const options = { ...(timeout === undefined ? {} : { timeout }), ...(fatal && { onOutput, signal: over.signal }) };
  return runHere(program, args, options).catch((error) => {
    if (!over.signal.aborted) throw error;
    return { code: killedCode, stdout: '', stderr: said, timedOut: false };
  });
}

/** Starts an emulator, and waits until it listens. @throws when it has ended before, or does not listen in time */
export async function launch({ directory, argv, memory, timeout }: Launch): Promise<void> {
  const [program = '', ...args] = argv;
  // That of an earlier start says nothing of this one.
  await rm(join(directory, 'qmp'), { force: true });
  const said = await open(join(directory, 'emulator.log'), 'w', 0o600);
  const content = memory === null ? null : await open(memory);
  const over = new AbortController();
  try {
    const output = await openConsole(directory);
    const child = spawn(program, args, {
      cwd: directory,
      detached: true,
      stdio: ['ignore', output, said.fd, ...(content === null ? [] : [content.fd])],
    });
    child.unref();
    output.destroy();
    await Promise.race([ended(child), listens(directory, { timeout, signal: over.signal })]).catch((error) => {
      child.kill('SIGKILL');
      throw error;
    });
  } finally {
    over.abort();
    await content?.close();
    await said.close();
  }
}

async function ended(child: ChildProcess): Promise<never> {
  await once(child, 'exit');
  throw new Error('it has ended');
}

interface Patience {
  readonly timeout: number;
  readonly signal: AbortSignal;
}

async function listens(directory: string, { timeout, signal }: Patience): Promise<void> {
  const end = performance.now() + timeout;
  while (!(await readdir(directory)).includes('qmp')) {
    if (performance.now() > end) throw new Error(`it does not listen after ${timeout / 1000} s`);
    await sleep(pause, undefined, { signal });
  }
}

/**
 * Has what is written to the answer, whatever process does, at the end of a machine's console, of which no more than
 * 2 MiB are on disk. Whoever does so ends when nobody has the answer any more, and may outlive this process.
 */
export async function openConsole(directory: string): Promise<Writable> {
  const path = join(directory, consoleFile);
  await appendFile(path, '', { mode: 0o600 });
  const child = spawn('perl', [scripts.console, path], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  child.unref();
  return child.stdin;
}

/** The processes that have a name: by what the kernel says, for nobody else knows it after a crash. */
export async function processes(name: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((each) => /^\d+$/.test(each));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [, ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      return args[0] === '-name' && args[1] === name ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
