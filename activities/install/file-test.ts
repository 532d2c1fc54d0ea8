import { dirname } from 'node:path';
import { executorOf } from '../../pipelines/test-service/third-party.ts';
import { type Node, onNode } from '../nodes/packages/node.ts';
import type { ExecResult } from '../nodes/port.ts';
import { runnable } from './autopkgtest.ts';

/** What a test prints that wants its machine to start anew. */
const restartMark = '>>>VMRESTART<<<';

export interface FileTest {
  /** Where it is on the node. */
  readonly path: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether it makes the system ready: what does so installs; a test has no business outside. */
  readonly prepares: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  /** Starts the node anew, for a test that asks for that. */
  readonly restart?: (() => Promise<void>) | undefined;
}

/** Runs a file of tests, by the program for its ending, in its own folder. */
export async function runFileTest(node: Node, test: FileTest): Promise<ExecResult> {
  const { path, environment = {}, prepares, timeout, restart } = test;
  await (prepares ? node.door?.open() : node.door?.close());
  const variables = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
  const program = executorOf(path);
  const argv = program === undefined ? runnable(path) : [...program, path];
  const ran = await onNode(node, ['env', '-C', dirname(path), ...variables, ...argv], timeout);
  if (ran.output.includes(restartMark)) await restart?.();
  return ran;
}
