import { mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseControl } from '../../pipelines/formats/deb/control.ts';
import type { SourceState } from '../../pipelines/model/artifact.ts';
import { installPackages, type Node, onNode } from '../nodes/packages/node.ts';
import type { ExecResult } from '../nodes/port.ts';
import { scriptDirectory, sourceDirectory } from './place-scripts.ts';

/** Reads one file of a source tree; null when there is none. */
export type SourceFiles = (path: string) => Promise<string | null>;

export interface TrialSettings {
  readonly source: SourceFiles;
  /** Milliseconds for each step. */
  readonly timeout: number;
  readonly workdir: string;
}

/** Writes the tree of a commit into an empty directory. */
export type SourceTree = (
  state: Pick<SourceState, 'project' | 'branch' | 'commit'>,
  directory: string,
  signal: AbortSignal,
) => Promise<void>;

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
  if (script !== null) return runScript(node, { label: 'the smoke test', script, name }, settings);
  const tests = await suitableTests(source, name);
  for (const test of tests) {
    const found = await runTest(node, test, { name, settings });
    if (found.problem !== null) return found;
  }
  return tests.length > 0 ? { problem: null, output: '' } : startPrograms(node, name, settings.timeout);
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
  readonly name: string;
}

async function runScript(node: Node, { label, script, name }: Script, settings: TrialSettings): Promise<Finding> {
  const root = join(settings.workdir, `exercise-${name}`);
  await mkdir(join(root, 'sluice'), { recursive: true });
  await writeFile(join(root, 'sluice', 'exercise'), script, { mode: 0o755 });
  await node.machine.put(root, '/');
  await node.door?.close();
  const argv = ['env', '-C', sourceDirectory, 'AUTOPKGTEST_TMP=/tmp', `${scriptDirectory}/exercise`, name];
  const result = await onNode(node, argv, settings.timeout);
  return { problem: verdict(label, result, settings.timeout), output: result.output };
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

interface AutopkgTest {
  readonly label: string;
  readonly script: string;
  readonly packages: readonly string[];
}

/** What a throw-away container cannot offer, or what would only check the source again. */
const unsuitable = /needs-reboot|isolation-machine|build-needed|flaky|needs-internet|breaks-testbed|hint-testsuite/;

/** Tests that need only the package itself and named packages, in the order of the control file. */
async function suitableTests(source: SourceFiles, name: string): Promise<AutopkgTest[]> {
  const control = await source('debian/tests/control');
  if (control === null) return [];
  const found: AutopkgTest[] = [];
  for (const paragraph of parseControl(control)) {
    if (unsuitable.test(`${paragraph.Restrictions ?? ''} ${paragraph.Features ?? ''}`)) continue;
    const depends = (paragraph.Depends ?? '@').split(',').map((one) => one.trim().split(/[\s(]/)[0] ?? '');
    if (depends.includes('@builddeps@') || !(depends.includes('@') || depends.includes(name))) continue;
    const packages = depends.filter((one) => one !== '@' && one !== name && /^[a-z0-9][a-z0-9+.-]*$/.test(one));
    found.push(...(await testsOf(source, paragraph).then((list) => list.map((one) => ({ ...one, packages })))));
  }
  return found;
}

async function testsOf(source: SourceFiles, paragraph: Readonly<Record<string, string>>) {
  const command = paragraph['Test-Command'];
  if (command !== undefined)
    return [{ label: `the test command ${command.slice(0, 60)}`, script: `#!/bin/sh\n${command}\n` }];
  const directory = paragraph['Tests-Directory'] ?? 'debian/tests';
  const tests: { label: string; script: string }[] = [];
  for (const test of (paragraph.Tests ?? '')
    .split(/[\s,]+/)
    .filter((one) => /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(one))) {
    const script = await source(`${directory}/${test}`);
    if (script !== null) tests.push({ label: `the test ${test}`, script });
  }
  return tests;
}

async function runTest(
  node: Node,
  test: AutopkgTest,
  { name, settings }: { readonly name: string; readonly settings: TrialSettings },
): Promise<Finding> {
  if (test.packages.length > 0) {
    const needed = test.packages.map((one) => ({ name: one }));
    const { code, output } = await installPackages(node, needed, settings.timeout);
    if (code !== 0) return { problem: `${test.label} needs ${test.packages.join(', ')}: not to be had`, output };
  }
  return runScript(node, { label: test.label, script: test.script, name }, settings);
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}
