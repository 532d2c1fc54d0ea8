import { PassThrough } from 'node:stream';
import type { ExecOptions, Machine, Output, TakeLimits, TakenFile } from './port.ts';
import { unpack } from './unpack.ts';

/** Regular files alone; what has several names is there under each. Programs print text: bytes go as such. */
const script =
  'cd "$0" && find . -type d,f -print0 | tar --no-recursion --hard-dereference --null --files-from=- -cf - 2>/dev/null | base64';

export interface LiveTransfer extends Pick<ExecOptions, 'user' | 'signal' | 'timeout'> {
  /** A directory of the machine. */
  readonly from: string;
  /** An empty directory of this host. */
  readonly to: string;
  readonly limits: TakeLimits;
}

/**
 * Copies the regular files below a directory out of a machine whose programs go on, by a program there that reads them:
 * unlike `take` of the machine it ends nobody, and what changes meanwhile is as it was at some moment, or not there.
 *
 * @throws RefusedContent for more than the limits allow, and an error when it was not done in time
 */
export async function takeLive(
  machine: Pick<Machine, 'exec'>,
  { from, to, limits, user, signal, timeout }: LiveTransfer,
): Promise<readonly TakenFile[]> {
  const archive = new PassThrough();
  const over = new AbortController();
  const packing = machine
    .exec(['sh', '-c', script, from], {
      log: decoding(archive),
      signal: AbortSignal.any([signal, over.signal]),
      ...(user === undefined ? {} : { user }),
      ...(timeout === undefined ? {} : { timeout }),
    })
    .then(
      ({ timedOut }) => void (timedOut ? archive.destroy(new Error('the copy was not done in time')) : archive.end()),
      (error: Error) => void archive.destroy(error),
    );
  try {
    return await unpack(archive, to, limits);
  } catch (error) {
    over.abort();
    throw error;
  } finally {
    await packing;
  }
}

/** Takes base64 as it comes, in parts of any length. */
function decoding(archive: PassThrough): Output {
  let rest = '';
  return {
    write(text) {
      const digits = rest + text.replaceAll('\n', '');
      const whole = digits.length - (digits.length % 4);
      rest = digits.slice(whole);
      if (!archive.destroyed) archive.write(Buffer.from(digits.slice(0, whole), 'base64'));
    },
  };
}
