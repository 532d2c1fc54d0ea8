import { mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseControl } from '../../pipelines/formats/deb/control.ts';
import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { Submodule } from '../../pipelines/model/submodule.ts';
import { installPackages, type Node, onNode } from '../nodes/packages/node.ts';
import type { ExecResult } from '../nodes/port.ts';
import { scriptDirectory, sourceDirectory } from './place-scripts.ts';

/** Reads one file of a source tree; null when there is none. */
export type SourceFiles = (path: string) => Promise<string | null>;

export interface TrialSettings {
  readonly source: SourceFiles;
  /** All packages of the source that are to be installed: what a test means by `@`. Absent where nobody knows. */
  readonly siblings?: readonly string[];
  /** Milliseconds for each step. */
  readonly timeout: number;
  readonly workdir: string;
}

/** Writes the tree of a commit into an empty directory. */
export type SourceTree = TreeOf<unknown>;

/** The same, and tells which submodules are in it. */
export type WholeTree = TreeOf<readonly Submodule[]>;

type TreeOf<Answer> = (
  state: Pick<SourceState, 'project' | 'branch' | 'commit'>,
  directory: string,
  signal: AbortSignal,
) => Promise<Answer>;

/** Reads files of a tree that was written to `directory`. A link that leads out of it is as good as none. */
export function sourceFiles(directory: string): SourceFiles {
  return async (path) => {
    const found = await inside(directory, path);
    return found === null ? null : readFile(found, 'utf8').catch(() => null);
  };
}

/** The names in a folder of such a tree; none for one that is not there, or leads out of it. */
export async function namesIn(directory: string, folder: string): Promise<readonly string[]> {
  const found = await inside(directory, folder);
  return found === null ? [] : readdir(found).catch(() => []);
}

async function inside(directory: string, path: string): Promise<string | null> {
  const found = await realpath(join(directory, path)).catch(() => null);
  return found?.startsWith(`${await realpath(directory)}/`) ? found : null;
}

interface Finding {
  readonly problem: string | null;
  readonly output: string;
}

/**
 * Tries a package, without a network, in the way that its source says: `sluice/smoke/PACKAGE`, else `sluice/smoke.sh`, else the commands
 * in `debian/tests/control` that suit a container, else every program is started.
 */
export async function exercise(node: Node, name: string, settings: TrialSettings): Promise<Finding> {
  const { source } = settings;
  const script = (await source(`sluice/smoke/${name}`)) ?? (await source('sluice/smoke.sh'));
  const smoke = { label: 'the smoke test', name, skippable: false };
  if (script !== null) return runScript(node, { ...smoke, script }, settings);
  const tests = await suitableTests(source, name);
  if (tests.length === 0) return startPrograms(node, name, settings.timeout);
  let found: Finding = { problem: null, output: '' };
  for (const test of tests) {
    if (found.problem === null) found = await runTest(node, test, { name, settings });
  }
  return found;
}

async function startPrograms(node: Node, name: string, timeout: number): Promise<Finding> {
  await node.door?.close();
  const result = await onNode(node, [`${scriptDirectory}/programs`, node.manager.format, name], timeout);
  if (result.timedOut) return { problem: 'its programs did not end in time', output: result.output };
  const said = result.output.split('\n').filter((line) => line.trim() !== '');
  return { problem: said[0] ?? null, output: result.output };
}

interface Script {
  readonly label: string;
  readonly script: string;
  /** Where the source has it: it is run there, for it may have files beside itself. Absent where the source has none. */
  readonly path?: string;
  readonly name: string;
  /** Whether it may end with 77: it has found that it can say nothing here. */
  readonly skippable: boolean;
}

/** The exit code by which a test says that it was not run. */
const skipped = 77;

async function runScript(
  node: Node,
  { label, script, path, name, skippable }: Script,
  settings: TrialSettings,
): Promise<Finding> {
  if (path === undefined) await placeScript(node, { script, name }, settings);
  await node.door?.close();
  const program = path === undefined ? [`${scriptDirectory}/exercise`, name] : runnable(join(sourceDirectory, path));
  const argv = ['env', '-C', sourceDirectory, 'AUTOPKGTEST_TMP=/tmp', ...program];
  const result = await onNode(node, argv, settings.timeout);
  if (skippable && result.code === skipped) return { problem: null, output: result.output };
  return { problem: verdict(label, result, settings.timeout), output: result.output };
}

async function placeScript(node: Node, { script, name }: Pick<Script, 'script' | 'name'>, settings: TrialSettings) {
  const root = join(settings.workdir, `exercise-${name}`);
  await mkdir(join(root, 'sluice'), { recursive: true });
  await writeFile(join(root, 'sluice', 'exercise'), script, { mode: 0o755 });
  await node.machine.put(root, '/');
}

/** Tests of a source need not be executable: whoever runs them makes them so. */
export function runnable(path: string): readonly string[] {
  return ['sh', '-c', 'chmod +x "$0" && exec "$0"', path];
}

/** One sentence on a script that failed; a crash inside it is named as one. */
function verdict(label: string, { code, output, timedOut }: ExecResult, timeout: number): string | null {
  if (timedOut) return `${label} did not end within ${timeout / 1000} s`;
  if (code === 0) return null;
  const crash = /(Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception)/.exec(output)?.[1];
  if (crash !== undefined || code > 128) return `${label} crashed: ${crash ?? `signal ${code - 128}`}`;
  if (code === 126 || code === 127) return `${label} cannot start a program: ${lastLine(output)}`;
  const said = lastLine(output);
  return `${label} ended with ${code}${said === '' ? '' : `: ${said}`}`;
}

export interface AutopkgTest extends Omit<Script, 'name'> {
  /** Whether it wants all packages of its source. */
  readonly whole: boolean;
  readonly packages: readonly string[];
}

/** What a throw-away container cannot offer, or what would only check the source again. */
const unsuitable =
  /needs-reboot|needs-sudo|isolation-machine|build-needed|flaky|needs-internet|breaks-testbed|hint-testsuite/;

/** Tests that need only the package itself and named packages, in the order of the control file. */
export async function suitableTests(source: SourceFiles, name: string): Promise<AutopkgTest[]> {
  const control = await source('debian/tests/control');
  if (control === null) return [];
  const found: AutopkgTest[] = [];
  for (const paragraph of parseControl(control)) {
    if (unsuitable.test(`${paragraph.Restrictions ?? ''} ${paragraph.Features ?? ''}`)) continue;
    const depends = (paragraph.Depends ?? '@').split(',').map((one) => one.trim().split(/[\s(]/)[0] ?? '');
    if (depends.includes('@builddeps@') || !(depends.includes('@') || depends.includes(name))) continue;
    const packages = depends.filter((one) => one !== '@' && one !== name && /^[a-z0-9][a-z0-9+.-]*$/.test(one));
    const about = {
      packages,
      whole: depends.includes('@'),
      skippable: /\bskippable\b/.test(paragraph.Restrictions ?? ''),
    };
    found.push(...(await testsOf(source, paragraph)).map((one) => ({ ...one, ...about })));
  }
  return found;
}

async function testsOf(source: SourceFiles, paragraph: Readonly<Record<string, string>>) {
  const command = paragraph['Test-Command'];
  if (command !== undefined)
    return [{ label: `the test command ${command.slice(0, 60)}`, script: `#!/bin/sh\n${command}\n` }];
  const directory = paragraph['Tests-Directory'] ?? 'debian/tests';
  const tests: { label: string; script: string; path: string }[] = [];
  for (const test of (paragraph.Tests ?? '')
    .split(/[\s,]+/)
    .filter((one) => /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(one))) {
    const path = `${directory}/${test}`;
    const script = await source(path);
    if (script !== null) tests.push({ label: `the test ${test}`, script, path });
  }
  return tests;
}

async function runTest(
  node: Node,
  test: AutopkgTest,
  { name, settings }: { readonly name: string; readonly settings: TrialSettings },
): Promise<Finding> {
  const siblings = test.whole ? (settings.siblings ?? []).filter((one) => one !== name) : [];
  const provide = async (packages: readonly string[]) => {
    const needed = packages.map((one) => ({ name: one }));
    return needed.length === 0 ? null : installPackages(node, needed, settings.timeout);
  };
  let provided = await provide([...siblings, ...test.packages]);
  // Packages of one source may exclude each other: then the one under test alone.
  if (provided?.code !== 0 && siblings.length > 0) provided = await provide(test.packages);
  if (provided !== null && provided.code !== 0) {
    return { problem: `${test.label} needs ${test.packages.join(', ')}: not to be had`, output: provided.output };
  }
  return runScript(node, { ...test, name }, settings);
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}
