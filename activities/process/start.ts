import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { watchReads } from './reads.ts';
import { sendSignal } from './send-signal.ts';

export interface RunOptions {
  readonly cwd?: string;
  /** Replaces the environment but for PATH, HOME and LANG. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Characters that it may print, on either output. */
  readonly limit?: number;
  /** Milliseconds until the process group is killed. */
  readonly timeout?: number;
  /** Milliseconds without reading anything until the process group is killed; for programs that wait for ever. */
  readonly silence?: number | undefined;
  /** Receives standard output and error as they come. */
  readonly onOutput?: (text: string) => void;
  readonly uid?: number;
  readonly gid?: number;
  /** The kernel kills the program when we end, however we end: nothing goes on behind the back of who comes next. */
  readonly endsWithUs?: boolean;
  /** How output becomes text: `latin1` makes each byte one character, whatever it is. Default `utf8`. */
  readonly encoding?: 'utf8' | 'latin1';
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

const dieWithParent = ['--pdeathsig', 'KILL', '--'];

/** Characters of either output that are kept: a program that prints for ever must not fill our memory. */
export const mostOutput = 256 * 1024 * 1024;

/** How long a process may take to end by itself after SIGTERM, in milliseconds. */
const grace = 3_000;

/** What `run` does, from this process, whoever else starts programs. */
export function start(program: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const child = spawnGroup(program, args, options);
    let timedOut = false;
    const stop = () => killGroup(child.pid);
    const unwatch = watch(child.pid, options, () => {
      timedOut = true;
      stop();
    });
    signal?.addEventListener('abort', stop, { once: true });
    const limit = options.limit ?? mostOutput;
    let tooMuch = false;
    const overflow = () => {
      tooMuch = true;
      stop();
    };
    const out = collect(child.stdout, { ...options, limit }, overflow);
    const err = collect(child.stderr, { ...options, limit }, overflow);
    const settle = () => {
      unwatch();
      signal?.removeEventListener('abort', stop);
    };
    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('close', (code, name) => {
      settle();
      if (signal?.aborted) reject(signal.reason);
      else if (tooMuch) reject(new Error(`${program} printed more than ${limit} characters, which is the limit`));
      else resolve({ code: code ?? (name === 'SIGKILL' ? 137 : 143), stdout: out(), stderr: err(), timedOut });
    });
    // A program that ends without reading its input is judged by its exit code.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** Starts a program in a process group of its own, with pipes to it. */
export function spawnGroup(
  program: string,
  args: readonly string[],
  { cwd, env, uid, gid, endsWithUs }: Pick<RunOptions, 'cwd' | 'env' | 'uid' | 'gid' | 'endsWithUs'>,
): ChildProcessWithoutNullStreams {
  const [file, argv] = endsWithUs ? (['setpriv', [...dieWithParent, program, ...args]] as const) : [program, args];
  return spawn(file, argv, {
    cwd,
    env: { ...baseEnvironment(), ...env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid }),
  });
}

function watch(pid: number | undefined, { timeout, silence }: RunOptions, expire: () => void): () => void {
  const late = timeout === undefined ? undefined : setTimeout(expire, timeout);
  const still = silence === undefined || pid === undefined ? undefined : watchReads(pid, silence, expire);
  return () => {
    clearTimeout(late);
    still?.();
  };
}

/**
 * What every program sees of this process's environment, and a language and time zone that are the same everywhere. One
 * that is a Node finds what others have compiled.
 */
export function baseEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'NODE_COMPILE_CACHE', 'http_proxy', 'https_proxy', 'no_proxy'];
  const found = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  return { ...Object.fromEntries(found), LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', TZ: 'UTC' };
}

/** Ends a process and all that it has started: by SIGTERM, and what is left by SIGKILL. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  sendSignal(-pid, 'SIGTERM');
  setTimeout(() => sendSignal(-pid, 'SIGKILL'), grace).unref();
}

function collect(
  stream: NodeJS.ReadableStream,
  { encoding, onOutput, limit }: RunOptions & { readonly limit: number },
  overflow: () => void,
): () => string {
  const chunks: string[] = [];
  let left = limit;
  stream.setEncoding(encoding ?? 'utf8');
  stream.on('data', (text: string) => {
    if (left < 0) return;
    left -= text.length;
    if (left < 0) return overflow();
    chunks.push(text);
    onOutput?.(text);
  });
  return () => chunks.join('');
}
