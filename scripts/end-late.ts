import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** What a test file's process says before it is ended, and then what is open. */
export const leftOpen = 'was ended: after its last test it left open';

/**
 * Milliseconds from a file's last test until it is ended. What its `after` hooks do is within, and what it waits for
 * itself between two tests.
 */
export const graceVariable = 'SLUICE_TEST_GRACE';

interface Handle {
  readonly type: string;
  readonly is_active: boolean;
  readonly is_referenced: boolean;
  readonly localEndpoint?: { readonly ip4?: string; readonly ip6?: string; readonly port: number } | null;
  readonly pid?: number;
}

/** What the runner tells of a test or suite, the same object at its begin and end. */
interface Told {
  readonly name: string;
}

/**
 * A test file is ended in which no test has run for too long: something keeps it from ending by itself. Loaded before it,
 * in its process (`--import`).
 */
function endLate(): void {
  const running = new Set<unknown>();
  let late: NodeJS.Timeout | undefined;
  subscribe('tracing:node.test:start', (told) => {
    // The file as a whole begins when its `after` hooks do: the clock goes on.
    if ((told as Told).name === '<root>') return;
    clearTimeout(late);
    running.add(told);
  });
  subscribe('tracing:node.test:end', (told) => {
    running.delete(told);
    if (running.size > 0 || (told as Told).name === '<root>') return;
    clearTimeout(late);
    late = setTimeout(end, Number(process.env[graceVariable])).unref();
  });
}

function end(): never {
  console.error(`${leftOpen} ${openHandles().join(', ')}`);
  process.exit(1);
}

function openHandles(): readonly string[] {
  // Or the names of all addresses would be asked for.
  Object.assign(process.report, { excludeNetwork: true });
  const { libuv } = process.report.getReport() as { readonly libuv: readonly Handle[] };
  const open = libuv.filter((handle) => handle.is_active && handle.is_referenced);
  const timers = process.getActiveResourcesInfo().filter((type) => type === 'Timeout');
  return [...open.map(told), ...timers.map(() => 'timer')];
}

function told({ type, localEndpoint: at, pid }: Handle): string {
  if (pid !== undefined) return `process ${pid} (${commandOf(pid)})`;
  return at ? `${type} ${at.ip4 ?? at.ip6}:${at.port}` : type;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  } catch {
    return 'ended';
  }
}

// Threads and programs of Node's that a test starts are given its arguments, and are no test files.
if (isMainThread && /\.test\.\w+$/.test(process.argv[1] ?? '')) endLate();
