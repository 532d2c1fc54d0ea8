import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';

/** Modes and owners inside do not depend on the account outside, nor on its umask: 644, or 755 for what may be run. */
const asGitWould = ['--mode=u=rwX,go=rX,a-st', '--owner=0', '--group=0', '--numeric-owner'];

/** An archive in the making. */
export interface Packing {
  readonly archive: Readable;
  /** @throws what tar said, when it failed. */
  readonly ended: Promise<void>;
}

/**
 * Makes an archive of a host file, or of a directory's content.
 *
 * @param more options of tar
 */
export async function pack(hostPath: string, more: readonly string[] = []): Promise<Packing> {
  const whole = (await stat(hostPath)).isDirectory();
  const from = whole ? hostPath : dirname(hostPath);
  const names = whole ? await readdir(hostPath, { encoding: 'buffer' }) : [Buffer.from(basename(hostPath))];
  const args = ['-C', from, ...asGitWould, ...more, '-cf', '-', '--null', '--files-from=-'];
  const child = spawn('tar', args, { stdio: 'pipe' });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const ended = once(child, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`tar ended with ${code}: ${said.trim()}`);
  });
  child.stdin.end(Buffer.concat(names.flatMap((name) => [Buffer.from('./'), name, Buffer.of(0)])));
  // Node throws away what a program has written when it ends before anybody reads.
  return { archive: child.stdout.pipe(new PassThrough()), ended };
}
