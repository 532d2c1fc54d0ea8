import { setTimeout as sleep } from 'node:timers/promises';
import { type MirrorUrl, parseMirrorUrl, rsyncRoot } from '../../pipelines/mirror/url.ts';
import { type RunResult, run } from '../process/run.ts';
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
  const seconds = Math.max(1, Math.ceil(options.timeout));
  const fixed = [...common, ...connection(url, config, seconds)];
  const signal = options.signal ? { signal: options.signal } : {};
  let silent: MirrorError | null = null;
  return {
    top: topOf(url),
    at: (path) => (path === '' ? `${root}/` : `${root}/${path}`),
    async rsync(args) {
      // A host that was silent through all tries is not asked again: its time is spent.
      if (silent !== null) throw silent;
      for (let tries = 0; ; tries += 1) {
        // A sender goes on telling a silent receiver that it is alive, and never gives up by itself.
        const sends = url.kind !== 'local' && args.at(-1)?.startsWith(root);
        const silence = sends ? seconds * 1_000 : undefined;
        const result = await run('rsync', [...fixed, ...args], { endsWithUs: true, silence, ...signal });
        if (result.code === 0) return result.stdout;
        const busy = result.code === 5 && /max connections/.test(result.stderr);
        if (tries >= retries || !(worthRetrying.has(result.code) || busy || result.timedOut)) {
          const error = fault(url, result);
          if (error.code === 'timeout') silent = error;
          throw error;
        }
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

function connection(url: MirrorUrl, config: MirrorHostConfig, seconds: number): string[] {
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

function fault(url: MirrorUrl, { code, stderr, timedOut }: RunResult): MirrorError {
  if (timedOut) return new MirrorError('timeout', 'the host took what was sent and said nothing more');
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
