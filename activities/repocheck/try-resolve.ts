import type { Bond } from '../../pipelines/formats/format.ts';
import { downloadFault } from '../nodes/packages/download-fault.ts';
import { type Node, onNode } from '../nodes/packages/node.ts';
import { problemOf } from '../nodes/packages/problem.ts';
import type { ExecResult } from '../nodes/port.ts';

/** A package that the node's package manager does not find a way to install, and why. */
export interface Unmet {
  readonly one: Bond;
  readonly problem: string;
}

/**
 * Asks the node's package manager which of these packages it cannot install from what the node is offered. Many are tried
 * at once, and by halves where that fails: what can stand together can stand alone.
 *
 * @param timeout of one question, in milliseconds
 * @throws when a repository cannot be reached, which says nothing of the packages
 */
export async function unmetAmong(node: Node, packages: readonly Bond[], timeout: number): Promise<readonly Unmet[]> {
  if (packages.length === 0) return [];
  const result = await ask(node, packages, timeout);
  if (node.manager.resolved(result)) return [];
  const [one, ...more] = packages;
  if (one !== undefined && more.length === 0) {
    const problem = result.timedOut ? `no answer within ${timeout / 1000} seconds` : problemOf(result);
    return [{ one, problem }];
  }
  const half = Math.ceil(packages.length / 2);
  const first = await unmetAmong(node, packages.slice(0, half), timeout);
  return [...first, ...(await unmetAmong(node, packages.slice(half), timeout))];
}

/** Whether the node's package manager would install these packages together. @throws as `unmetAmong` does */
export async function fitTogether(node: Node, packages: readonly Named[], timeout: number): Promise<boolean> {
  const result = await ask(node, packages, timeout);
  if (result.timedOut) throw new Error(`${node.name}: no answer within ${timeout / 1000} seconds`);
  return node.manager.resolved(result);
}

type Named = Pick<Bond, 'name' | 'version' | 'arch'>;

async function ask(node: Node, packages: readonly Named[], timeout: number): Promise<ExecResult> {
  const wanted = packages.map(({ name, version, arch }) => ({ name, version, arch }));
  const result = await onNode(node, node.manager.resolve(wanted), timeout);
  const fault = node.manager.resolved(result) ? null : downloadFault(result.output);
  if (fault !== null) throw new Error(`${node.name} cannot read its repositories: ${fault}`);
  return result;
}
