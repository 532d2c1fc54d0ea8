import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
import type { Machine } from '../port.ts';
import { aptNode } from './deb.ts';
import { doorOf, type Node } from './node.ts';
import type { PackageManager } from './port.ts';
import { dnfNode } from './rpm.ts';

export const packageManagers: Readonly<Record<PackageFormat, PackageManager>> = { deb: aptNode, rpm: dnfNode };

/** A machine that is lent, with the package manager of its platform. */
export function nodeOn(
  machine: Machine,
  {
    platform,
    ...whose
  }: Pick<Node, 'name' | 'signal' | 'log' | 'tested'> & { readonly platform: Pick<Platform, 'format'> },
): Node {
  return { ...whose, machine, manager: packageManagers[platform.format], ...doorOf(machine) };
}
