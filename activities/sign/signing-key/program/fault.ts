import type { RunResult } from '../../../process/run.ts';
import { KeyAway, KeyRefused, type KeyRefused as Refused } from '../port.ts';
import type { ProgramKey } from '../settings.ts';

/** What a program ends with that a signal has ended: its service was stopped, or no memory was left. It has said nothing. */
const killed: readonly number[] = [129, 130, 137, 143];

/** EX_TEMPFAIL of sysexits.h, and what ssh ends with where it reaches nobody. */
const away: readonly number[] = [75, 255, ...killed];

/** Why the system starts no program now, and may later. */
const short: readonly unknown[] = ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ETXTBSY'];

/** Why a program gave no signature. */
export function programFault({ run: [program = ''], fingerprint, timeout }: ProgramKey, result: RunResult): Refused {
  const silent = killed.includes(result.code) ? 'it was killed' : 'without a word';
  const said = result.stderr.trim().split('\n').at(-1) || silent;
  if (result.timedOut) return new KeyAway(`${program} has not signed with ${fingerprint} in ${timeout} s`);
  if (away.includes(result.code)) return new KeyAway(`${program} cannot sign with ${fingerprint} now: ${said}`);
  if (result.code !== 0)
    return new KeyRefused(`${program} does not sign with ${fingerprint}: it ended with ${result.code}: ${said}`);
  return new KeyRefused(`${program} ended well and gave no armoured signature by ${fingerprint}`);
}

/** Why a program was not run to its end. */
export function startFault({ run: [program = ''], fingerprint }: ProgramKey, error: NodeJS.ErrnoException): Refused {
  const Kind = short.includes(error.code) ? KeyAway : KeyRefused;
  return new Kind(`${program} cannot be run to sign with ${fingerprint}: ${error.message}`);
}

const mark = /^sluice: (away|refused): (.*)$/m;

/** A fault on one line, for whoever reads what rpmsign prints. */
export function faultLine(error: Refused): string {
  return `sluice: ${error instanceof KeyAway ? 'away' : 'refused'}: ${error.message.replaceAll('\n', ' ')}`;
}

/** The same read back; null where nothing of it is there. */
export function faultIn(output: string): Refused | null {
  const [, kind, message = ''] = mark.exec(output) ?? [];
  if (kind === undefined) return null;
  return kind === 'away' ? new KeyAway(message) : new KeyRefused(message);
}
