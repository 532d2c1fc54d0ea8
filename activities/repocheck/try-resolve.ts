import type { Bond } from '../../pipelines/formats/format.ts';
import { downloadFault } from '../nodes/packages/download-fault.ts';
import { type Node, onNode } from '../nodes/packages/node.ts';
import { problemOf } from '../nodes/packages/problem.ts';

/** A package that the node's package manager does not find a way to install, and why. */
export interface Unmet {
  readonly one: Bond;
  readonly problem: string;
}

/**
 * Asks the node's package manager which of these packages it cannot install from what the node is offered. All of them
 * are tried at once first: what can stand together can stand alone.
 *
 * @param timeout of one question, in milliseconds
 * @throws when a repository cannot be reached, which says nothing of the packages
 */
export async function unmetAmong(node: Node, packages: readonly Bond[], timeout: number): Promise<readonly Unmet[]> {
  if (packages.length === 0) return [];
  const resolve = async (some: readonly Bond[]) => {
    const wanted = some.map(({ name, version, arch }) => ({ name, version, arch }));
    const result = await onNode(node, node.manager.resolve(wanted), timeout);
    const fault = result.code === 0 ? null : downloadFault(result.output);
    if (fault !== null) throw new Error(`${node.name} cannot read its repositories: ${fault}`);
    return result;
  };
  if ((await resolve(packages)).code === 0) return [];
  const unmet: Unmet[] = [];
  for (const one of packages) {
    const result = await resolve([one]);
    if (result.timedOut) unmet.push({ one, problem: `no answer within ${timeout / 1000} seconds` });
    else if (result.code !== 0) unmet.push({ one, problem: problemOf(result) });
  }
  return unmet;
}
