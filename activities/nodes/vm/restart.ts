import { setTimeout as sleep } from 'node:timers/promises';
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
export async function restartMachine(running: Running, lender: Lender): Promise<void> {
  const { host, record, line } = running;
  const snapshot = (await snapshotsIn(lender.places)).find(({ id }) => id === record.snapshot);
  if (snapshot === undefined) throw lost('restart', `the snapshot ${record.snapshot} below it is gone`);
  // Its sshd may go before it has answered.
  say(line, 'systemctl poweroff').catch(() => {});
  if (!(await isGone(running, goingDown))) {
    // The emulator itself ends it: what it holds of the disk is written.
    await withMonitor(running, (monitor) => monitor.ask('quit')).catch(() => {});
    await isGone(running, goingDown);
    await endEmulator(host, record.id);
  }
  line.close();
  await startEmulator(running, specOf(record.id, snapshot, lender), bootOf(snapshot));
  await untilItAnswers(line);
}

async function isGone({ host, record }: Running, within: number): Promise<boolean> {
  for (const end = Date.now() + within; Date.now() < end; await sleep(pause)) {
    if ((await emulatorsOf(host, record.id)).length === 0) return true;
  }
  return false;
}

async function untilItAnswers(line: Running['line']): Promise<void> {
  for (const end = Date.now() + booting; ; await sleep(pause)) {
    try {
      await say(line, 'true');
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}
