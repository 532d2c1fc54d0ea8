import { setTimeout as sleep } from 'node:timers/promises';
import { quoted } from '../../process/quoted.ts';
import { unlessAborted } from '../../process/unless-aborted.ts';
import { say } from '../ssh/exec.ts';
import { reach } from './clean.ts';
import type { ClaimedMachine } from './park.ts';

/** Milliseconds until a computer is back, and between two looks. */
const patience = 900_000;
const pause = 2_000;

/** One boot from the next, also where process 1 alone is another. */
const whichBoot = 'cat /proc/sys/kernel/random/boot_id; cut -d" " -f22 /proc/1/stat';

/** Has a machine boot anew, and waits until it is back. @throws EngineUnavailable when it is not */
export async function restartGiven(
  { settings, remote: { line, root } }: ClaimedMachine,
  signal: AbortSignal,
): Promise<void> {
  const before = await unlessAborted(signal, say(line, whichBoot));
  // It may be gone before it has answered.
  const asked = say(line, quoted([...root, 'sh', '-c', 'sync; exec reboot'])).catch(() => {});
  await unlessAborted(signal, asked);
  for (const end = Date.now() + patience; ; await sleep(pause, undefined, { signal })) {
    const look = say(line, whichBoot).catch(() => before);
    const now = await unlessAborted(signal, look);
    if (now !== before) break;
    if (Date.now() > end) throw line.lost('restart', `it did not boot anew within ${patience / 1000} s`);
  }
  // The group of all that is run from outside is gone.
  await unlessAborted(signal, reach(line, settings));
}
