import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { inspect } from 'node:util';

/** Passed and failed tests; a file that ran none, and a test that was skipped, count as failed. */
export interface Count {
  readonly passed: number;
  readonly failed: number;
  /** What failed and why, as it is told again at the end of a long run. */
  readonly faults: readonly string[];
}

/** Every process of a test file carries it in its environment, as do the ones that it starts. */
const mark = 'SLUICE_TEST_FILE';

/** By what Temporal names the failure of a workflow that does not replay as it ran. */
export const diverged = 'TMPRL1100';

/** How long a file that is told to end may take, in milliseconds. */
const grace = 5_000;

/** Milliseconds until it is told which tests run, and again: a run that is ended from without has said what it waited for. */
const tellEach = 300_000;

/**
 * Runs one test file in a process of its own, and prints what it says once it has ended. One that takes longer than its
 * limit is ended with all that it has started, and counts as failed.
 *
 * @param limit in milliseconds
 * @param each milliseconds after which it is told which of its tests run, and again
 */
export async function runFile(file: string, limit: number, each = tellEach): Promise<Count> {
  let [passed, failed, divergences] = [0, 0, 0];
  const id = randomUUID();
  const stop = new AbortController();
  const execArgv = ['--disable-warning=ExperimentalWarning'];
  const env = { ...process.env, [mark]: id };
  const stream = run({ files: [file], execArgv, env, signal: stop.signal });
  const faults: string[] = [];
  const timers = [
    tellRunning(stream, each),
    setTimeout(() => stop.abort(new Error(`${file} took longer than ${limit / 1000} s`)), limit),
    setTimeout(() => endAll(id), limit + grace),
  ];
  stream.on('test:pass', ({ name, details, skip, todo }) => {
    const fault = name === file ? 'ran no test' : (skip ?? todo) ? 'was left out' : undefined;
    if (fault !== undefined) faults.push(`✖ ${name} ${fault}`);
    if (fault !== undefined) failed += 1;
    else if (details.type !== 'suite') passed += 1;
  });
  const reasons: string[] = [];
  stream.on('test:fail', ({ name, details }) => {
    // What holds a failed test is not another failure.
    if ((details.error as { failureType?: string }).failureType === 'subtestsFailed') return;
    failed += 1;
    const reason = `✖ ${name} (${file})\n${inspect(details.error.cause ?? details.error)}`;
    reasons.push(reason);
    console.log(reason);
  });
  // A workflow that does not replay stands still, and is told by its worker alone: the test only sees that nothing comes.
  const tellsOf = ({ message }: { readonly message: string }) => {
    if (message.includes(diverged)) divergences += 1;
  };
  stream.on('test:stderr', tellsOf).on('test:stdout', tellsOf);
  for await (const text of stream.compose(new spec())) process.stdout.write(text);
  for (const timer of timers) clearTimeout(timer);
  if (stop.signal.aborted) {
    endAll(id);
    faults.push(`✖ ${stop.signal.reason.message}: it was ended`);
  }
  if (failed > 0 && divergences > 0) faults.push(`✖ ${file}: a workflow did not replay as it ran (${diverged})`);
  for (const fault of faults) console.log(fault);
  return { passed, failed, faults: [...reasons, ...faults] };
}

/** Tells again and again which tests of a file have begun and not ended. */
function tellRunning(stream: ReturnType<typeof run>, each: number): NodeJS.Timeout {
  const running = new Set<string>();
  stream.on('test:dequeue', ({ name }) => running.add(name));
  stream.on('test:complete', ({ name }) => running.delete(name));
  return setInterval(() => console.log(`… ${[...running].join(', ')}`), each);
}

/** Ends every process that carries the mark. */
function endAll(id: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${mark}=${id}`)) {
        process.kill(Number(pid), 'SIGKILL');
      }
    } catch {
      // It has ended by itself, or is not ours.
    }
  }
}
