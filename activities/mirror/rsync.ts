import { setTimeout as sleep } from 'node:timers/promises';
import { type MirrorUrl, parseMirrorUrl, rsyncRoot } from '../../pipelines/mirror/url.ts';
import { run } from '../process/run.ts';
import { MirrorError, type MirrorHostConfig } from './types.ts';

/** rsync to one host: every operation on a mirror is a transfer, because a daemon offers nothing else. */
export interface Transport {
  /** A place on the mirror as rsync takes it; empty is the root. */
  at(path: string): string;
  /**
   * A place that is sure to be there, and the root's path below it. A daemon takes the name of a new directory in its
   * arguments for a pattern, so new directories are sent into this place as content; null where that is not so.
   */
  readonly top: { readonly place: string; readonly path: string } | null;
  /** @returns standard output. @throws MirrorError after the retries that the failure deserves. */
  rsync(args: readonly string[]): Promise<string>;
}

interface TransportOptions {
  /** Seconds without progress after which the host counts as silent. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** Failures that another try may mend: no connection, a broken stream, silence. */
const worthRetrying: ReadonlySet<number> = new Set([10, 12, 30, 35, 255]);
const retries = 2;
/** Milliseconds before a retry. */
const pause = 1_000;
/** Protects names with blanks and quotes on their way through a remote shell. */
const common = ['--8-bit-output', '--secluded-args'];

export function createTransport(config: MirrorHostConfig, options: TransportOptions): Transport {
  const url = parseMirrorUrl(config.url);
  const root = rsyncRoot(url);
  const fixed = [...common, ...connection(url, config, options.timeout)];
  const signal = options.signal ? { signal: options.signal } : {};
  return {
    top: topOf(url),
    at: (path) => (path === '' ? `${root}/` : `${root}/${path}`),
    async rsync(args) {
      for (let tries = 0; ; tries += 1) {
        const result = await run('rsync', [...fixed, ...args], { endsWithUs: true, ...signal });
        if (result.code === 0) return result.stdout;
        const busy = result.code === 5 && /max connections/.test(result.stderr);
        if (tries >= retries || !(worthRetrying.has(result.code) || busy)) throw fault(url, result);
        await sleep(pause, undefined, signal);
      }
    },
  };
}

function topOf(url: MirrorUrl): Transport['top'] {
  if (url.kind !== 'rsync') return null;
  const [module = '', ...rest] = url.path.split('/');
  return { place: `${rsyncRoot({ ...url, path: module })}/`, path: rest.join('/') };
}

function connection(url: MirrorUrl, config: MirrorHostConfig, timeout: number): string[] {
  const seconds = Math.max(1, Math.ceil(timeout));
  const silence = `--timeout=${seconds}`;
  if (url.kind === 'local') return [silence];
  if (url.kind === 'rsync') return [silence, `--contimeout=${seconds}`];
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `ConnectTimeout=${seconds}`];
  if (config.knownHosts !== undefined) options.push(`UserKnownHostsFile=${config.knownHosts}`);
  if (config.identity !== undefined) options.push('IdentitiesOnly=yes', `IdentityFile=${config.identity}`);
  const port = url.port === null ? [] : ['-p', String(url.port)];
  const words = ['ssh', ...port, ...options.flatMap((option) => ['-o', option])];
  return [silence, `--rsh=${words.map(quoted).join(' ')}`];
}

/** rsync splits the remote shell's command at blanks outside of quotes; a doubled quote stands for itself. */
function quoted(word: string): string {
  return /^[\w./=@:-]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`;
}

function fault(url: MirrorUrl, { code, stderr }: { readonly code: number; readonly stderr: string }): MirrorError {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^rsync error: .* \(code \d+\)/.test(line));
  const message = (lines[0] ?? stderr).trim().slice(0, 500) || `rsync ended with ${code}`;
  if (code === 30 || code === 35) return new MirrorError('timeout', message);
  return new MirrorError(url.kind === 'ssh' && code === 255 ? 'ssh:255' : `rsync:${code}`, message);
}
