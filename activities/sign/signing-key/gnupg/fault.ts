import { ProcessError } from '../../../process/run.ts';
import { KeyAway, KeyRefused } from '../port.ts';
import type { GnupgKey } from './key.ts';

/** What GnuPG says where it would have to ask for a passphrase. */
const unasked = /Inappropriate ioctl|[Pp]inentry|No passphrase given|Operation cancelled/;

/** Codes of libgpg-error. */
const cancelled = 99;
const wrong: readonly number[] = [11, 31, 87, cancelled];
const blocked = 130;
const noDaemon = 119;
const noKey: readonly number[] = [9, 17];
/** The card, its reader or the programs that speak to it: timeout, removed, reset, not present, no daemon. */
const away: readonly number[] = [62, 108, 109, 110, 112, noDaemon, 120];

/** The last error code that GnuPG has written to its status; null where there is none. */
function failureIn(stderr: string): number | null {
  const [, value] = [...stderr.matchAll(/^\[GNUPG:\] FAILURE \S+ (\d+)/gm)].at(-1) ?? [];
  // The upper bits say which program it comes from.
  return value === undefined ? null : Number(value) & 0xffff;
}

/** Whether a passphrase or PIN that was given is wrong: it was refused, or asked for again. */
export function isWrongSecret(error: unknown): boolean {
  return error instanceof ProcessError && wrong.includes(failureIn(error.result.stderr) ?? 0);
}

/** Whether GnuPG was asked for more than one answer. */
export function isCancelled(error: unknown): boolean {
  return error instanceof ProcessError && failureIn(error.result.stderr) === cancelled;
}

/** What a program that was to sign has ended with, as an error that says what to do. */
export function signingFault(key: GnupgKey, error: unknown): unknown {
  if (!(error instanceof ProcessError)) return error;
  const { result } = error;
  const code = failureIn(result.stderr) ?? 0;
  const called = `${key.card === undefined ? '' : 'the card of '}${key.key}`;
  if (key.secret !== undefined && wrong.includes(code)) {
    const what = key.card === undefined ? 'passphrase' : 'PIN';
    const once =
      key.card === undefined ? '' : ', and it is not given that one again: cards lock after three wrong ones';
    return new KeyRefused(`${called} refuses its ${what}${once}`);
  }
  if (code === blocked)
    return new KeyRefused(`${called} is locked after wrong PINs: unblock it (gpg --card-edit, admin, passwd)`);
  if (noKey.includes(code)) return new KeyRefused(`${key.key} has no secret part in ${key.home ?? 'the key ring'}`);
  if (result.timedOut)
    return new KeyAway(
      `${called} has not signed in ${(key.timeout ?? 0) / 1000} s${key.card === undefined ? '' : ': is the card in its reader?'}`,
    );
  if (away.includes(code))
    return new KeyAway(
      `${called} cannot be reached: ${lastLine(result.stderr)}${code === noDaemon ? ', install scdaemon' : ''}`,
    );
  if (!unasked.test(result.stderr)) return error;
  return new KeyAway(
    `${key.key} has a passphrase, and nobody can be asked for it here: have GnuPG's agent know it first, as by signing anything in a terminal (gpg --local-user ${key.key} --clear-sign FILE)`,
  );
}

function lastLine(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.startsWith('gpg: '));
  return lines.at(-1)?.slice('gpg: '.length) ?? 'GnuPG does not say why';
}
