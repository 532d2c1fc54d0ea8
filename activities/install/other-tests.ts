import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { readJobTests } from '../../pipelines/test-service/job-tests.ts';
import { tapPasses } from '../../pipelines/test-service/tap.ts';
import { missingTests, namesOfFiles, preparesTests, testsAmong } from '../../pipelines/test-service/third-party.ts';
import type { StageInput } from '../../workflows/contract.ts';
import type { Node } from '../nodes/packages/node.ts';
import type { ExecResult } from '../nodes/port.ts';
import type { StageContext } from '../ports.ts';
import { requiredProjects } from '../script/required.ts';
import type { WorkspaceDeps } from '../script/workspace.ts';
import { verdict } from './autopkgtest.ts';
import { runFileTest } from './file-test.ts';
import { scriptDirectory } from './place-scripts.ts';
import type { Finding, TriedTest } from './steps.ts';
import type { OtherTests, TrialSettings } from './trial-settings.ts';

/**
 * Brings the tests of other projects that a job names, each project as the job is to see it.
 *
 * @returns why they cannot be run, in one line, where they cannot
 */
export async function bringTests(
  deps: WorkspaceDeps,
  input: StageInput,
  { workdir, signal }: Pick<StageContext, 'workdir' | 'signal'>,
): Promise<readonly OtherTests[] | string> {
  const named = (input.requiredProjects ?? []).map(({ project }) => project);
  const read = readJobTests(input.vars.tests, [input.source.project, ...named]);
  if (!read.ok) return read.problem;
  if (read.tests.length === 0) return [];
  const { required, missing } = await requiredProjects(deps, input);
  if (missing !== undefined) return `the required project ${missing.project} has no branch ${missing.branch}`;
  const found: OtherTests[] = [];
  for (const [index, given] of read.tests.entries()) {
    const state = required.find(({ project }) => project === given.project) ?? input.source;
    const tree = join(workdir, `tests-${index}`);
    await deps.sources(state, tree, signal);
    const paths = await filesOf(tree);
    const lack = missingTests(paths, given);
    if (lack !== null) return `${given.project}: ${lack}`;
    found.push({ tree, given, tests: testsAmong(paths, given) });
  }
  return found;
}

async function filesOf(tree: string): Promise<readonly string[]> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(tree, join(entry.parentPath, entry.name)));
}

interface Files {
  readonly name: string;
  /** On the node. */
  readonly path: string;
  /** Why it is not run; null where it is. */
  readonly skipped: string | null;
  readonly prepares: boolean;
}

/** Runs tests of other projects on a node that has the package. What they say in TAP counts before their exit codes. */
export async function runOtherTests(
  node: Node,
  all: readonly OtherTests[],
  settings: Pick<TrialSettings, 'timeout' | 'testbed'>,
): Promise<Finding> {
  const tried: TriedTest[] = [];
  const outputs: string[] = [];
  for (const { name, skipped, ...file } of await placeTests(node, all)) {
    if (skipped !== null) {
      tried.push({ name, seconds: 0, problem: null, skipped });
      continue;
    }
    const started = performance.now();
    const { timeout, testbed } = settings;
    const ran = await runFileTest(node, { ...file, timeout, restart: testbed?.restart });
    outputs.push(ran.output);
    tried.push({ name, seconds: (performance.now() - started) / 1000, problem: judge(name, ran, timeout) });
  }
  const problem = tried.find((one) => one.problem !== null)?.problem ?? null;
  return { problem, output: outputs.join(''), tests: tried };
}

async function placeTests(node: Node, all: readonly OtherTests[]): Promise<readonly Files[]> {
  const taken = new Set<string>();
  const placed: Files[] = [];
  for (const [index, { tree, given, tests }] of all.entries()) {
    const inside = `${scriptDirectory}/tests-${index}`;
    await node.machine.put(tree, inside);
    const names = namesOfFiles(tests, { directory: given.directory, index }, taken);
    for (const { name, files } of tests) {
      const skipped = given.except.includes(name) ? 'the job leaves it out' : null;
      for (const file of files) {
        const prepares = preparesTests(name) || preparesTests(file);
        placed.push({ name: names.get(file) ?? file, path: join(inside, file), skipped, prepares });
      }
    }
  }
  return placed;
}

function judge(name: string, ran: ExecResult, timeout: number): string | null {
  const label = `the test ${name}`;
  const said = ran.timedOut ? null : tapPasses(ran.output);
  if (said === null) return verdict(label, ran, timeout);
  return said ? null : `${label} says that something is not ok`;
}
