import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** CPU seconds by part, in order of name. */
export type Parts = Readonly<Record<string, number>>;

const tick = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** Threads of this process by their names: Temporal's library calls its own after its runtime. */
const threads: readonly (readonly [RegExp, string])[] = [
  [/^(MainThread|node)$/, 'server: its own thread'],
  [/V8Worker/, 'server: garbage collector and compiler'],
  [/libuv/, 'server: files'],
  [/tokio|temporal|core/i, "server: Temporal's library"],
  [/./, 'server: thread of workflows'],
];

/**
 * CPU that was used until this moment: this process's by thread, what it started by program as far as that has ended,
 * and that of others.
 *
 * @param others by the process's id
 */
export function readOwnParts(others: ReadonlyMap<number, string>): Parts {
  const parts: Record<string, number> = {};
  const add = (name: string, seconds: number) => {
    parts[name] = (parts[name] ?? 0) + seconds;
  };
  for (const task of readdirSync('/proc/self/task')) {
    const { name, own } = readStat(`/proc/self/task/${task}/stat`);
    add(threads.find(([pattern]) => pattern.test(name))?.[1] ?? name, own);
  }
  const programs = 'programs that the server starts';
  add(programs, readStat('/proc/self/stat').ended);
  for (const pid of readChildren(process.pid)) {
    const { own, ended } = readStat(`/proc/${pid}/stat`);
    if (!others.has(pid)) add(programs, own + ended);
  }
  return { ...parts, ...readTrees(others) };
}

/** CPU that processes, what they have started, and so on, have used until this moment. @param roots by the process's id */
export function readTrees(roots: ReadonlyMap<number, string>): Parts {
  return Object.fromEntries([...roots].map(([pid, name]) => [name, readTree(pid)]));
}

function readTree(pid: number): number {
  const { own, ended } = readStat(`/proc/${pid}/stat`);
  return readChildren(pid).reduce((sum, child) => sum + readTree(child), own + ended);
}

/** Besides programs that run just now, the helper that starts them, and `ssh` and the like of the benchmark. */
function readChildren(pid: number): readonly number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const listed = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'));
    return listed.join(' ').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** What was used between two moments. */
export function subtractParts(after: Parts, before: Parts): Parts {
  const used = Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)] as const);
  return Object.fromEntries(used.sort());
}

interface Stat {
  readonly name: string;
  readonly own: number;
  /** Of children that were waited for. */
  readonly ended: number;
}

/** Nothing for one that is gone. */
function readStat(file: string): Stat {
  try {
    const text = readFileSync(file, 'utf8');
    const end = text.lastIndexOf(')');
    const fields = text
      .slice(end + 2)
      .split(' ')
      .map(Number);
    const sum = (from: number) => ((fields[from] ?? 0) + (fields[from + 1] ?? 0)) / tick;
    return { name: text.slice(text.indexOf('(') + 1, end), own: sum(11), ended: sum(13) };
  } catch {
    return { name: '', own: 0, ended: 0 };
  }
}
