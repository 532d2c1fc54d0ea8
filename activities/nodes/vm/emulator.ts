import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineUnavailable } from '../engine-unavailable.ts';
import { type Boot, emulatorArguments, type MachineSpec, processName } from './arguments.ts';
import { emulator } from './host.ts';
import type { Host, Spot } from './hosts/port.ts';
import { withMonitor } from './monitor.ts';

/** Milliseconds until an emulator listens, which it does before it reads a memory. */
const listening = 60_000;
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
 * @param from how it boots, or the file that its memory is read from
 * @throws EngineUnavailable with what the emulator said when it does not come up, and it is gone then
 */
export async function startEmulator(
  spot: Spot,
  spec: Omit<MachineSpec, 'start'>,
  from: { readonly memory: string } | Boot,
): Promise<void> {
  const { host, directory } = spot;
  const [start, memory] = 'memory' in from ? [{ memory: 3 }, from.memory] : [from, null];
  try {
    const argv = [emulator, ...emulatorArguments({ ...spec, start })];
    await host.launch({ directory, argv, memory, timeout: listening });
    await comesUp(spot, spec.id);
  } catch (error) {
    await endEmulator(host, spec.id);
    const words = ((await host.files.read(join(directory, 'emulator.log'))) ?? '').trim().slice(-1_000);
    throw lost('start', words === '' ? error : words);
  }
}

/** Waits until the memory is read, and lets the machine run. */
async function comesUp(spot: Spot, id: string): Promise<void> {
  for (const end = Date.now() + loading; ; await sleep(pause)) {
    const state = await withMonitor(spot, async (monitor) => {
      const { status } = await monitor.ask<{ status: string }>('query-status');
      if (status === 'paused') await monitor.ask('cont');
      return status;
    }).catch(async (error: Error) => {
      if ((await emulatorsOf(spot.host, id)).length === 0) throw new Error('it has ended');
      return error.message;
    });
    if (state === 'paused' || state === 'running') return;
    if (Date.now() > end) throw new Error(`it is still ${state} after ${loading / 1000} s`);
  }
}

/** The processes that are a machine. */
export function emulatorsOf(host: Host, id: string): Promise<readonly number[]> {
  return host.processes(processName(id));
}

/** Ends a machine at once, and waits until it is gone. Harmless when it is. @throws when it outlives that */
export async function endEmulator(host: Host, id: string): Promise<void> {
  const end = Date.now() + dying;
  for (let left = await emulatorsOf(host, id); left.length > 0; left = await emulatorsOf(host, id)) {
    await host.kill(left);
    if (Date.now() > end) throw lost('end', `process ${left.join(', ')} cannot be killed`);
    await sleep(pause);
  }
}
