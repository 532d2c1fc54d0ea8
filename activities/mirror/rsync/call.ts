import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RsyncUrl, rsyncRoot } from '../../../pipelines/mirror/url.ts';
import { type RunResult, run } from '../../process/run.ts';
import { temporaryName } from '../temporary-name.ts';
import type { Shell, TransportOptions } from '../transport.ts';
import { MirrorError, type MirrorHostConfig } from '../types.ts';
import { openShell } from './shell.ts';
import { openSsh, type SshConnection } from './ssh.ts';

/** What a listing found; `complete` is false where something could not be read, and `said` says what. */
interface RawListing {
  readonly text: string;
  readonly complete: boolean;
  readonly said: string;
}

/** rsync to one host: every operation on a mirror can be a transfer, because a daemon offers nothing else. */
export interface Rsync {
  readonly kind: RsyncUrl['kind'];
  /** A place on the mirror as rsync takes it; empty is the root. */
  at(path: string): string;
  /** A directory of the mirror as its own system names it; for the shell. */
  directory(path: string): string;
  /**
   * A place that is sure to be there, and the root's path below it. A daemon takes the name of a new directory in its
   * arguments for a pattern, so new directories are sent into this place as content; null where that is not so.
   */
  readonly top: { readonly place: string; readonly path: string } | null;
  /**
   * A directory of the mirror as `--link-dest` names it for a transfer into a neighbour: from the module's root for a
   * daemon, because 3.2.7 takes relative ones wrongly.
   */
  base(path: string): string;
  /** The same host with another root below the daemon's module. */
  rooted(path: string): Rsync;
  /** @returns standard output. @throws MirrorError after the retries that the failure deserves. */
  call(args: readonly string[]): Promise<string>;
  /** The same for a listing, which may lack what cannot be read. */
  list(args: readonly string[]): Promise<RawListing>;
  /** For what is faster there than from here; null where there is none. */
  readonly shell: Shell | null;
  /** Whether the shell need not connect first: rsync tries that again, a shell does not. */
  near(): boolean;
  /** A name for what is not whole yet. */
  temporary(): string;
  /** Ends the connection that its transfers shared, if there is one. */
  close(): Promise<void>;
}

/** Failures that another try may mend: no connection, a broken stream, silence. */
const worthRetrying: ReadonlySet<number> = new Set([10, 12, 30, 35, 255]);
const retries = 2;
/** Milliseconds before a retry, and before the next look at a daemon that is busy. */
const pause = 1_000;
const busyPause = 250;
/** Protects names with blanks and quotes on their way through a remote shell. */
const common = ['--8-bit-output', '--secluded-args'];

export function openRsync(url: RsyncUrl, config: MirrorHostConfig, options: TransportOptions): Rsync {
  const root = rsyncRoot(url);
  const top = topOf(url);
  const ssh = url.kind === 'ssh' ? openSsh(url, config, secondsOf(options)) : null;
  const start = caller(url, options, ssh);
  const shell = openShell(url, { ssh, seconds: secondsOf(options), signal: options.signal });
  return {
    kind: url.kind,
    top,
    at: (path) => (path === '' ? `${root}/` : `${root}/${path}`),
    directory: (path) => posix.join(url.path, path),
    base: (path) => (top === null ? `../${posix.basename(path)}` : posix.join('/', top.path, path)),
    rooted: (path) => {
      const [module = ''] = url.path.split('/');
      return openRsync({ ...url, path: posix.join(module, path) }, config, options);
    },
    async call(args) {
      const result = await start(args);
      if (result.code !== 0) throw fault(url, result);
      return result.stdout;
    },
    async list(args) {
      const result = await start(['--list-only', '--links', '--no-human-readable', ...args]);
      // What may not be read, or went meanwhile, is left out; the place itself stands first.
      const partly = (result.code === 23 || result.code === 24) && / \.$/m.test(result.stdout);
      const complete = result.code === 0 && !result.timedOut;
      if (!complete && !partly) throw fault(url, result);
      return { text: result.stdout, complete, said: complete ? '' : fault(url, result).message };
    },
    shell: shell?.run ?? null,
    near: () => url.kind === 'local' || ssh?.stands() === true,
    temporary: () => temporaryName(options.set),
    close: async () => void (await Promise.all([shell?.close(), ssh?.close()])),
  };
}

/** Runs rsync, and again where that may help: in all twice more, and a busy daemon for as long as `timeout` says. */
function caller(url: RsyncUrl, options: TransportOptions, ssh: SshConnection | null) {
  const seconds = secondsOf(options);
  const fixed = [...common, ...connection(url, seconds, ssh), ...limitTo(options)];
  const signal = options.signal ? { signal: options.signal } : {};
  let silent: RunResult | null = null;
  let busySince: number | null = null;
  let running = 0;
  // Whoever sends or fetches goes on telling a silent host that it is alive, and never gives up by itself.
  const silence = url.kind === 'local' ? undefined : (seconds + 1) * 1_000;
  const start = (args: readonly string[]) => {
    running += 1;
    const result = run('rsync', [...fixed, ...args], { endsWithUs: true, silence, ...signal });
    return result.finally(() => {
      running -= 1;
    });
  };
  const mayBeFreeSoon = () => {
    // It may be another call of ours that keeps the daemon busy, for as long as that takes.
    if (running > 0 || busySince === null) busySince = Date.now();
    return Date.now() - busySince < seconds * 1_000;
  };
  return async (args: readonly string[]): Promise<RunResult> => {
    // A host that was silent through all tries is not asked again: its time is spent.
    if (silent !== null) return silent;
    if (ssh?.stands() === false) await ssh.check();
    for (let tries = 0; ; ) {
      const result = await start(args);
      const busy = isBusy(result);
      if (!busy) busySince = null;
      const again = busy ? mayBeFreeSoon() : tries < retries && mayDoBetter(result);
      if (!again) {
        if (result.code !== 0 && fault(url, result).code === 'timeout') silent = result;
        return result;
      }
      if (!busy) tries += 1;
      // Others of ours would end with the connection.
      if (running === 0) await ssh?.drop();
      await sleep(busy ? busyPause : pause, undefined, signal);
    }
  };
}

/** Whether a daemon has as many connections as it takes. */
function isBusy({ code, stderr }: RunResult): boolean {
  return code === 5 && /max connections/.test(stderr);
}

function mayDoBetter({ code, timedOut }: RunResult): boolean {
  return worthRetrying.has(code) || timedOut;
}

function topOf(url: RsyncUrl): Rsync['top'] {
  if (url.kind !== 'rsync') return null;
  const [module = '', ...rest] = url.path.split('/');
  return { place: `${rsyncRoot({ ...url, path: module })}/`, path: rest.join('/') };
}

function connection(url: RsyncUrl, seconds: number, ssh: SshConnection | null): string[] {
  const silence = `--timeout=${seconds}`;
  if (ssh !== null) return [silence, `--rsh=${ssh.command}`];
  // Short messages go back and forth: each would wait 40 ms for the daemon's system to confirm the one before.
  return url.kind === 'rsync' ? [silence, `--contimeout=${seconds}`, '--sockopts=TCP_NODELAY'] : [silence];
}

/** rsync takes whole KiB. */
function limitTo({ bandwidth }: TransportOptions): string[] {
  return bandwidth === undefined ? [] : [`--bwlimit=${Math.floor(bandwidth / 1024)}`];
}

function secondsOf({ timeout }: TransportOptions): number {
  return Math.max(1, Math.ceil(timeout));
}

function fault(url: RsyncUrl, { code, stderr, timedOut }: RunResult): MirrorError {
  if (timedOut) return new MirrorError('timeout', 'the host said nothing for longer than its `timeout`');
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^rsync error: .* \(code \d+\)/.test(line));
  // Without a connection rsync ends with 255, or with 12 when it sees the end of the stream first.
  const unconnected = url.kind === 'ssh' && (code === 255 || /\(0 bytes received so far\)/.test(stderr));
  // ssh's reason comes last, after its warnings; rsync's comes first.
  const said = unconnected ? lines.filter((line) => !line.startsWith('rsync: ')).at(-1) : lines[0];
  const message = (said ?? stderr).trim().slice(0, 500) || `rsync ended with ${code}`;
  if (code === 30 || code === 35 || (unconnected && /timed out/.test(message))) {
    return new MirrorError('timeout', message);
  }
  return new MirrorError(unconnected ? 'ssh:255' : `rsync:${code}`, message);
}
