import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { inspect } from 'node:util';
import { graceVariable, leftOpen } from './end-late.ts';

/** Passed and failed tests; a file that ran none, and a test that was skipped, count as failed. */
export interface Count {
  readonly passed: number;
  readonly failed: number;
  /** What failed and why, as it is told again at the end of a long run. */
  readonly faults: readonly string[];
}

/**
 * Every process of a test file carries it in its environment, as do the ones that it starts, but for those that the product
 * starts with an environment of their own (`baseEnvironment`): of these only those with `endsWithUs` are sure to end.
 */
const mark = 'SLUICE_TEST_FILE';

/** By what Temporal names the failure of a workflow that does not replay as it ran. */
export const diverged = 'TMPRL1100';

/** How long a file that is told to end may take, in milliseconds. */
const grace = 5_000;

/** All in milliseconds. */
export interface Times {
  /** What a file may take. */
  readonly limit: number;
  /** Until it is told which tests run, and again: a run that is ended from without has said what it waited for. */
  readonly each?: number;
  /** From its last test to its end: a stack that it ends takes its time on a machine that others keep busy. */
  readonly late?: number;
}

const execArgv = ['--disable-warning=ExperimentalWarning', '--import', new URL('end-late.ts', import.meta.url).href];

/**
 * Runs one test file in a process of its own, and prints what it says once it has ended. One that takes longer than it
 * may is ended, and counts as failed. All that a file has started that fails is ended, where it carries the mark.
 */
export async function runFile(file: string, { limit, each = 300_000, late = 180_000 }: Times): Promise<Count> {
  let [passed, failed, divergences] = [0, 0, 0];
  const id = randomUUID();
  const stop = new AbortController();
  const stream = run({ files: [file], execArgv, env: environment(id, late), signal: stop.signal });
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
    if (message.startsWith(leftOpen)) faults.push(`✖ ${file} ${message.trim()}`);
  };
  stream.on('test:stderr', tellsOf).on('test:stdout', tellsOf);
  for await (const text of stream.compose(new spec())) process.stdout.write(text);
  for (const timer of timers) clearTimeout(timer);
  if (stop.signal.aborted) faults.push(`✖ ${stop.signal.reason.message}: it was ended`);
  if (failed > 0 || stop.signal.aborted) endAll(id);
  if (failed > 0 && divergences > 0) faults.push(`✖ ${file}: a workflow did not replay as it ran (${diverged})`);
  for (const fault of faults) console.log(fault);
  return { passed, failed, faults: [...reasons, ...faults] };
}

function environment(id: string, late: number): NodeJS.ProcessEnv {
  return { ...process.env, [mark]: id, [graceVariable]: String(late) };
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
