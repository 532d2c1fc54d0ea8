import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineUnavailable } from '../engine-unavailable.ts';
import { type Boot, emulatorArguments, type MachineSpec, processName } from './arguments.ts';
import { openConsole } from './console.ts';
import { emulator } from './host.ts';
import { withMonitor } from './monitor.ts';

/** Milliseconds until a machine whose memory is read has read it. */
const loading = 120_000;
/** Milliseconds until a process that was killed is gone. */
const dying = 30_000;
const pause = 25;

/** The error of a machine that cannot be reached, or is not there any more. */
export function lost(what: string, cause: unknown): EngineUnavailable {
  return EngineUnavailable.away(what, cause, 'the virtual machine');
}

/**
 * Starts an emulator in a machine's directory; it outlives this process.
 *
 * @param memory the file that its memory is read from; null: it boots
 * @throws EngineUnavailable with what the emulator said when it does not come up, and it is gone then
 */
export async function startEmulator(
  directory: string,
  spec: Omit<MachineSpec, 'start'>,
  from: { readonly memory: string } | Boot,
): Promise<void> {
  const said = await open(join(directory, 'emulator.log'), 'w', 0o600);
  const memory = 'memory' in from ? await open(from.memory) : null;
  const over = new AbortController();
  try {
    const start = 'memory' in from ? { memory: 3 } : from;
    const output = await openConsole(directory);
    const child = spawn(emulator, emulatorArguments({ ...spec, start }), {
      cwd: directory,
      detached: true,
      stdio: ['ignore', output, said.fd, ...(memory === null ? [] : [memory.fd])],
    });
    child.unref();
    output.destroy();
    const gone = once(child, 'exit').then(() => {
      throw new Error('it has ended');
    });
    await Promise.race([gone, comesUp(directory, over.signal)]);
  } catch (error) {
    await endEmulator(spec.id);
    const words = (await readFile(join(directory, 'emulator.log'), 'utf8').catch(() => '')).trim().slice(-1_000);
    throw lost('start', words === '' ? error : words);
  } finally {
    over.abort();
    await memory?.close();
    await said.close();
  }
}

/** Waits until the memory is read, and lets the machine run. */
async function comesUp(directory: string, signal: AbortSignal): Promise<void> {
  const end = Date.now() + loading;
  for (;;) {
    const state = await withMonitor(directory, async (monitor) => {
      const { status } = await monitor.ask<{ status: string }>('query-status');
      if (status === 'paused') await monitor.ask('cont');
      return status;
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') return 'not there yet';
      throw error;
    });
    if (state === 'paused' || state === 'running') return;
    if (Date.now() > end) throw new Error(`it is still ${state} after ${loading / 1000} s`);
    await sleep(pause, undefined, { signal });
  }
}

/** The processes that are a machine: by what the kernel says, for nobody else knows it after a crash. */
export async function emulatorsOf(id: string): Promise<readonly number[]> {
  const name = processName(id);
  const pids = (await readdir('/proc')).filter((each) => /^\d+$/.test(each));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [, ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      return args[0] === '-name' && args[1] === name ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

/** Ends a machine at once, and waits until it is gone. Harmless when it is. @throws when it outlives that */
export async function endEmulator(id: string): Promise<void> {
  const end = Date.now() + dying;
  for (let left = await emulatorsOf(id); left.length > 0; left = await emulatorsOf(id)) {
    for (const pid of left) kill(pid);
    if (Date.now() > end) throw lost('end', `process ${left.join(', ')} cannot be killed`);
    await sleep(pause);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
