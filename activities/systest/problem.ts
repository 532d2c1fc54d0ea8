import type { TestCase } from '../../pipelines/report/junit.ts';
import { problemOf } from '../nodes/packages/problem.ts';
import type { ExecResult } from '../nodes/port.ts';

/** How long a step took, and why it failed. */
export type StepRun = Pick<TestCase, 'seconds' | 'failure'>;

/** Why an installation failed, in one line; null when it did not. */
export function problemLine(result: ExecResult): string | null {
  if (result.timedOut) return 'the installation did not end in time';
  return result.code === 0 ? null : problemOf(result);
}

export function failureOf(message: string | null, { output }: ExecResult): Pick<TestCase, 'failure'> | object {
  return message === null ? {} : { failure: { message, text: output.slice(-20_000) } };
}
