import { setTimeout as sleep } from 'node:timers/promises';
import { unlessAborted } from '../../process/unless-aborted.ts';
import { say } from '../ssh/exec.ts';
import { emulatorsOf, endEmulator, lost, startEmulator } from './emulator.ts';
import { bootOf, type Lender, type Running, specOf } from './lend.ts';
import { withMonitor } from './monitor.ts';
import { snapshotsIn } from './records.ts';

/** Milliseconds until a machine has gone down by itself, and until it has booted, without KVM and beside others. */
const goingDown = 90_000;
const booting = 900_000;
const pause = 250;

/**
 * Ends a machine as its own system does, and boots it from its disk. Its cables are plugged then.
 *
 * @throws EngineUnavailable when it does not come back
 */
export async function restartMachine(running: Running, lender: Lender, signal: AbortSignal): Promise<void> {
  const { host, record, line } = running;
  const snapshot = (await snapshotsIn(lender.places)).find(({ id }) => id === record.snapshot);
  if (snapshot === undefined) throw lost('restart', `the snapshot ${record.snapshot} below it is gone`);
  // Its sshd may go before it has answered.
  say(line, 'systemctl poweroff').catch(() => {});
  if (!(await isGone(running, goingDown, signal))) {
    // The emulator itself ends it: what it holds of the disk is written.
    await withMonitor(running, (monitor) => monitor.ask('quit')).catch(() => {});
    await isGone(running, goingDown, signal);
    await endEmulator(host, record.id);
  }
  line.close();
  signal.throwIfAborted();
  await startEmulator(running, specOf(record, snapshot, lender), bootOf(snapshot));
  await untilItAnswers(line, signal);
}

async function isGone({ host, record }: Running, within: number, signal: AbortSignal): Promise<boolean> {
  for (const end = Date.now() + within; Date.now() < end; await sleep(pause, undefined, { signal })) {
    if ((await emulatorsOf(host, record.id)).length === 0) return true;
  }
  return false;
}

async function untilItAnswers(line: Running['line'], signal: AbortSignal): Promise<void> {
  for (const end = Date.now() + booting; ; await sleep(pause, undefined, { signal })) {
    try {
      await unlessAborted(signal, say(line, 'true'));
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}
