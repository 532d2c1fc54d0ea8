import { readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { Submodule } from '../../pipelines/model/submodule.ts';
import { type Node, onNode } from '../nodes/packages/node.ts';
import { placeScript, runSourceTests, testsFor, verdict } from './autopkgtest.ts';
import { scriptDirectory, sourceDirectory } from './place-scripts.ts';
import type { Finding } from './steps.ts';
import type { SourceFiles, TrialSettings } from './trial-settings.ts';

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

/**
 * Tries a package, without a network, in the way that its source says: `sluice/smoke/PACKAGE`, else `sluice/smoke.sh`, else the
 * tests in `debian/tests/control` that the node is good for, else every program is started.
 */
export async function exercise(node: Node, name: string, settings: TrialSettings): Promise<Finding> {
  const { source, timeout } = settings;
  const script = (await source(`sluice/smoke/${name}`)) ?? (await source('sluice/smoke.sh'));
  if (script !== null) return smoke(node, { name, script }, settings);
  const tests = await testsFor(name, settings);
  const tried = await runSourceTests(node, { name, tests }, settings);
  if (tests.some(({ why }) => why === null)) return tried;
  return { ...tried, ...(await startPrograms(node, name, timeout)) };
}

async function startPrograms(node: Node, name: string, timeout: number): Promise<Finding> {
  await node.door?.close();
  const result = await onNode(node, [`${scriptDirectory}/programs`, node.manager.format, name], timeout);
  if (result.timedOut) return { problem: 'its programs did not end in time', output: result.output };
  const said = result.output.split('\n').filter((line) => line.trim() !== '');
  return { problem: said[0] ?? null, output: result.output };
}

async function smoke(
  node: Node,
  script: { readonly name: string; readonly script: string },
  { timeout, workdir }: TrialSettings,
): Promise<Finding> {
  const program = await placeScript(node, script, workdir);
  await node.door?.close();
  const argv = ['env', '-C', sourceDirectory, 'AUTOPKGTEST_TMP=/tmp', ...program, script.name];
  const result = await onNode(node, argv, timeout);
  return { problem: verdict('the smoke test', result, timeout), output: result.output };
}
