import { installPackages, type Node, onNode } from '../nodes/packages/node.ts';
import type { NodePackage } from '../nodes/packages/port.ts';
import { problemOf as describeProblem } from '../nodes/packages/problem.ts';
import type { ExecResult } from '../nodes/port.ts';
import { bareName, type Inventory, lines, listLeft, listPackages } from './inventory.ts';
import { scriptDirectory } from './place-scripts.ts';
import type { Finding } from './steps.ts';

/** A package to try; without a version, the best that the repositories have. */
export interface TriedPackage {
  readonly name: string;
  readonly version?: string | undefined;
  readonly arch?: string | undefined;
  /** Debug packages are not exercised. */
  readonly debug: boolean;
}

/** @throws when repositories cannot be reached */
export async function install(node: Node, wanted: TriedPackage, timeout: number): Promise<Finding> {
  const { name } = wanted;
  const result = await installPackages(node, [exactly(wanted)], timeout);
  const problem = problemOf(node, result, timeout) ?? node.manager.failedScript(name, result.output);
  return { problem, output: result.output };
}

/** The very version that is tried, as a package manager is asked for it. */
export function exactly({ name, version, arch }: TriedPackage): NodePackage {
  return { name, ...(version === undefined ? {} : { version, ...(arch === undefined ? {} : { arch }) }) };
}

/** Brings packages of the system itself up to what is under test. */
export async function renew(node: Node, old: readonly NodePackage[], timeout: number): Promise<Finding> {
  const result = await installPackages(node, old, timeout);
  return { problem: problemOf(node, result, timeout), output: result.output };
}

/** Whether all that the package has is on the node as it should be, and its programs find their libraries. */
export async function checkIntegrity(node: Node, name: string, timeout: number): Promise<Finding> {
  const verified = await onNode(node, node.manager.verify(name), timeout);
  const changed = verified.output.split('\n').filter((line) => /^(\S{9,11} |missing)/.test(line) && !ignorable(line));
  const looked = await onNode(node, [`${scriptDirectory}/integrity`, node.manager.format, name], timeout);
  const said = [...changed.map((line) => `differs from the package: ${line.trim()}`), ...lines(looked.output)];
  const problem = looked.code === 0 ? (said[0] ?? null) : `the check ended with ${looked.code}`;
  return { problem, output: `${verified.output}${looked.output}` };
}

/** Configuration files that a maintainer script filled in, and documentation that the image leaves out. */
function ignorable(line: string): boolean {
  return / c \//.test(line) || /\/usr\/share\/(doc|man|info|locale|lintian)\//.test(line);
}

interface Removal {
  readonly before: Inventory;
  /** After the installation, before anything was exercised: only what that brought counts, for programs may make files of their own. */
  readonly installed: Inventory;
  /** Paths that may stay; absent: none. */
  readonly except?: RegExp;
  readonly timeout: number;
}

export const kept = 'the system cannot be without it';

/**
 * Removes the package with all that has come since, by name: a package manager keeps what a test asked for by its name, and what
 * something else on the system recommends. Where the system refuses that, it keeps what it wants of what came along;
 * where it refuses still, only what tests brought goes.
 */
export async function remove(
  node: Node,
  name: string,
  { before, installed, except, timeout }: Removal,
): Promise<Finding> {
  const came = [...(await listPackages(node, timeout)).keys()].filter((one) => !before.packages.has(one));
  const others = came.filter((one) => bareName(one) !== name);
  const brought = others.filter((one) => !installed.packages.has(one));
  const attempt = (names: readonly string[]) => onNode(node, node.manager.remove(names), timeout);
  const isRefused = ({ code, output }: ExecResult) => code !== 0 && node.manager.refusesRemoval(output);
  let result = await attempt([name, ...others]);
  const partly = isRefused(result) && others.length > brought.length;
  if (partly) result = await attempt([name, ...brought]);
  if (isRefused(result)) {
    const after = brought.length === 0 ? { ...result, code: 0 } : await attempt(brought);
    return { problem: problemOf(node, after, timeout), leftOut: kept, output: result.output };
  }
  const problem = problemOf(node, result, timeout);
  // Of what stays with a package that came along nobody can say whose it is.
  if (problem !== null || partly) return { problem, output: result.output };
  const left = (await listLeft(node, timeout)).filter((path) => !except?.test(path));
  const more = left.length > 1 ? ` and ${left.length - 1} more` : '';
  return { problem: left[0] === undefined ? null : `leaves ${left[0]}${more} behind`, output: left.join('\n') };
}

/** Why a package manager failed, in one line that names the script that hung or the first error. */
export function problemOf(node: Node, result: ExecResult, timeout: number): string | null {
  const script = node.manager.runningScript(result.output);
  if (result.timedOut) {
    return `${script ?? 'the package manager'} did not end within ${timeout / 1000} s and was killed`;
  }
  if (result.code === 0) return null;
  return describeProblem(result);
}
