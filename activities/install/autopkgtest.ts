import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type SourceTest, sourceTests, whyNotRun } from '../../pipelines/formats/deb/source-tests.ts';
import { installPackages, type Node, onNode } from '../nodes/packages/node.ts';
import type { ExecResult } from '../nodes/port.ts';
import { scriptDirectory, sourceDirectory } from './place-scripts.ts';
import type { Finding, TriedTest } from './steps.ts';
import type { SourceFiles, TrialSettings } from './trial-settings.ts';

/** A test of the source that concerns a package, and why it cannot be run here; null where it can. */
export interface FoundTest {
  readonly test: SourceTest;
  readonly why: string | null;
}

/** The tests in `debian/tests/control` that are about a package, in their order. */
export async function testsFor(
  name: string,
  { source, testbed = {} }: Pick<TrialSettings, 'source' | 'testbed'>,
): Promise<readonly FoundTest[]> {
  const control = await source('debian/tests/control');
  const tests = control === null ? [] : sourceTests(control);
  const about = tests.filter((test) => test.whole || test.packages.includes(name));
  const { whole = false, architecture, restart } = testbed;
  const machine = { whole, architecture, restarts: restart !== undefined };
  return Promise.all(
    about.map(async (test) => ({ test, why: whyNotRun(test, machine) ?? (await lacks(source, test)) })),
  );
}

async function lacks(source: SourceFiles, { path }: SourceTest): Promise<string | null> {
  return path === undefined || (await source(path)) !== null ? null : `is not in the source: ${path}`;
}

/** What a report calls a test. */
export function labelOf({ name, command }: Pick<SourceTest, 'name' | 'command'>): string {
  return command === undefined ? `the test ${name}` : `the test command ${command.trim().slice(0, 60)}`;
}

/** Runs the tests about a package that can be run here; what cannot is listed with the reason. */
export async function runSourceTests(
  node: Node,
  { name, tests }: { readonly name: string; readonly tests: readonly FoundTest[] },
  settings: TrialSettings,
): Promise<Finding> {
  const tried: TriedTest[] = [];
  const outputs: string[] = [];
  for (const { test, why } of tests) {
    const started = performance.now();
    const { output, problem, leftOut } = why === null ? await runTest(node, { test, name }, settings) : left(why);
    if (leftOut !== undefined) node.log.write(`${labelOf(test)}: SKIPPED: ${leftOut}\n`);
    const skipped = leftOut === undefined ? {} : { skipped: leftOut };
    tried.push({ name: test.name, seconds: (performance.now() - started) / 1000, problem, ...skipped });
    outputs.push(output);
  }
  return {
    problem: tried.find((one) => one.problem !== null)?.problem ?? null,
    output: outputs.join(''),
    tests: tried,
  };
}

function left(why: string, output = ''): Finding {
  return { problem: null, leftOut: why, output };
}

interface Run {
  readonly test: SourceTest;
  /** The package under test. */
  readonly name: string;
}

/** The exit code by which a test says that it was not run. */
const skippedCode = 77;

async function runTest(node: Node, run: Run, settings: TrialSettings): Promise<Finding> {
  const { test } = run;
  const has = (restriction: string) => test.restrictions.includes(restriction);
  const lack = await provide(node, run, settings);
  if (lack !== null) return has('skip-not-installable') ? left(lack.problem, lack.output) : lack;
  const program = await programOf(node, test, settings);
  await node.door?.close();
  const ran = await untilItEnds(node, program, settings);
  if (ran.code === skippedCode && has('skippable')) return left('it has found nothing to test here', ran.output);
  const problem = verdict(labelOf(test), ran, settings.timeout);
  return problem !== null && has('flaky') ? left(`flaky: ${problem}`, ran.output) : { problem, output: ran.output };
}

/** Has there what a test wants. @returns what is not to be had */
async function provide(node: Node, { test, name }: Run, { siblings = [], timeout }: TrialSettings) {
  const others = test.whole ? siblings.filter((one) => one !== name) : [];
  const named = test.packages.filter((one) => one !== name);
  const install = async (names: readonly string[]) => {
    const packages = names.map((each) => ({ name: each }));
    return packages.length === 0 ? null : installPackages(node, packages, timeout);
  };
  let provided = await install([...others, ...named]);
  // Packages of one source may exclude each other: then the one under test alone.
  if (provided !== null && provided.code !== 0 && others.length > 0) provided = await install(named);
  if (provided !== null && provided.code !== 0) {
    return { problem: `${labelOf(test)} needs ${named.join(', ')}: not to be had`, output: provided.output };
  }
  if (!test.restrictions.includes('needs-recommends')) return null;
  const recommended = await install(await recommendedBy(node, name, timeout));
  if (recommended === null || recommended.code === 0) return null;
  return { problem: `${labelOf(test)} needs what ${name} recommends: not to be had`, output: recommended.output };
}

async function recommendedBy(node: Node, name: string, timeout: number): Promise<readonly string[]> {
  const { output } = await onNode(node, node.manager.recommends(name), timeout);
  const names = output.split(/[,\n]/).map((one) => one.trim().split(/[\s(|:]/)[0] ?? '');
  return names.filter((one) => /^[A-Za-z0-9][A-Za-z0-9+._-]+$/.test(one));
}

async function programOf(node: Node, test: SourceTest, { workdir }: TrialSettings): Promise<readonly string[]> {
  if (test.path !== undefined) return runnable(join(sourceDirectory, test.path));
  return placeScript(node, { name: 'command', script: `#!/bin/sh\n${test.command}\n` }, workdir);
}

/** Puts a script onto the node. @returns how it is run */
export async function placeScript(
  node: Node,
  { name, script }: { readonly name: string; readonly script: string },
  workdir: string,
): Promise<readonly string[]> {
  const root = join(workdir, `exercise-${name}`);
  await mkdir(join(root, 'sluice'), { recursive: true });
  await writeFile(join(root, 'sluice', 'exercise'), script, { mode: 0o755 });
  await node.machine.put(root, '/');
  return [`${scriptDirectory}/exercise`];
}

/** Tests of a source need not be executable: whoever runs them makes them so. */
export function runnable(path: string): readonly string[] {
  return ['sh', '-c', 'chmod +x "$0" && exec "$0"', path];
}

/** How often one test may have its machine started anew. */
const restarts = 10;

/** Runs a test, and again after each restart of the machine that it asks for, told by the mark that it gave. */
async function untilItEnds(
  node: Node,
  program: readonly string[],
  { timeout, testbed = {} }: TrialSettings,
): Promise<ExecResult> {
  const output: string[] = [];
  let marked: readonly string[] = [];
  for (let started = 0; ; started += 1) {
    const variables = ['AUTOPKGTEST_TMP=/sluice/tmp', ...marked];
    const argv = ['env', '-C', sourceDirectory, ...variables, `${scriptDirectory}/trial`, ...program];
    const ran = await onNode(node, argv, timeout);
    output.push(ran.output);
    const mark = await markOf(node, timeout);
    if (mark === '' || testbed.restart === undefined) return { ...ran, output: output.join('') };
    if (started === restarts) {
      output.push(`it wanted its machine to start anew more than ${restarts} times\n`);
      return { code: 1, timedOut: false, output: output.join('') };
    }
    await testbed.restart();
    marked = [`AUTOPKGTEST_REBOOT_MARK=${mark}`, `ADT_REBOOT_MARK=${mark}`];
  }
}

async function markOf(node: Node, timeout: number): Promise<string> {
  const { signal } = node;
  const { output } = await node.machine.exec([`${scriptDirectory}/mark`], { signal, timeout });
  return output.trim();
}

/** One sentence on a script that failed; a crash inside it is named as one. */
export function verdict(label: string, { code, output, timedOut }: ExecResult, timeout: number): string | null {
  if (timedOut) return `${label} did not end within ${timeout / 1000} s`;
  if (code === 0) return null;
  const crash = /(Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception)/.exec(output)?.[1];
  if (crash !== undefined || code > 128) return `${label} crashed: ${crash ?? `signal ${code - 128}`}`;
  const said = output.trim().split('\n').at(-1) ?? '';
  if (code === 126 || code === 127) return `${label} cannot start a program: ${said}`;
  return `${label} ended with ${code}${said === '' ? '' : `: ${said}`}`;
}
