import type { TestCase } from '../../pipelines/report/junit.ts';
import { standInOn } from '../install/under-test.ts';
import { installPackages, type Node } from '../nodes/packages/node.ts';
import type { NodePackage } from '../nodes/packages/port.ts';
import { problemOf } from '../nodes/packages/problem.ts';
import type { ExecResult } from '../nodes/port.ts';

/** How long a step took, and why it failed. */
export type StepRun = Pick<TestCase, 'seconds' | 'failure'>;

type Named = Pick<TestCase, 'suite' | 'name'>;

/** Does a step, and adds how it went: of one that comes to no end, because the job's time is up, that it does not. */
export async function recorded(cases: TestCase[], named: Named, work: () => Promise<StepRun>): Promise<TestCase> {
  const started = performance.now();
  try {
    const done = { ...named, ...(await work()) };
    cases.push(done);
    return done;
  } catch (error) {
    cases.push({ ...named, ...timed(started), failure: unfinished(error) });
    throw error;
  }
}

/** The failure of what comes to no end. */
export function unfinished(error: unknown): NonNullable<TestCase['failure']> {
  return { message: 'not done when the test ended', text: String(error) };
}

/** @param started by `performance.now()` */
export function timed(started: number): Pick<TestCase, 'seconds'> {
  return { seconds: (performance.now() - started) / 1000 };
}

/** Installs packages; nothing stands in the place of what is under test. @param timeout in milliseconds */
export async function installOn(node: Node, wanted: readonly NodePackage[], timeout: number): Promise<StepRun> {
  const started = performance.now();
  const result = await installPackages(node, wanted, timeout);
  const problem = problemLine(result) ?? (await standInOn(node, { wanted, timeout }));
  return { ...timed(started), ...failureOf(problem, result) };
}

/** Why an installation failed, in one line; null when it did not. */
export function problemLine(result: ExecResult): string | null {
  if (result.timedOut) return 'the installation did not end in time';
  return result.code === 0 ? null : problemOf(result);
}

export function failureOf(
  message: string | null,
  { output }: Pick<ExecResult, 'output'>,
): Pick<TestCase, 'failure'> | object {
  return message === null ? {} : { failure: { message, text: output.slice(-20_000) } };
}
