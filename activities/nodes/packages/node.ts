import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BuildLog, Container, ExecResult } from '../../ports.ts';
import type { NodePackage, NodeRepository, PackageManager } from './port.ts';

/** A machine with a package manager: a container now, a virtual machine as well one day. */
export interface Node {
  readonly name: string;
  readonly machine: Pick<Container, 'exec' | 'copyIn'>;
  readonly manager: PackageManager;
  readonly signal: AbortSignal;
  readonly log: BuildLog;
}

/** Runs a program on the node, its output in the log. `timeout` is in milliseconds. */
export function onNode(node: Node, argv: readonly string[], timeout: number): Promise<ExecResult> {
  const { signal, log, manager } = node;
  log.write(`${node.name}# ${argv.join(' ')}\n`);
  return node.machine.exec(argv, { signal, log, timeout, env: manager.environment });
}

/** Offers repositories to the node and reads their indexes. `workdir` takes the files that are copied in. */
export async function addRepositories(
  node: Node,
  repositories: readonly NodeRepository[],
  { workdir, timeout }: { readonly workdir: string; readonly timeout: number },
): Promise<ExecResult> {
  const root = await mkdtemp(join(workdir, 'etc-'));
  for (const [path, text] of Object.entries(node.manager.configure(repositories))) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  await node.machine.copyIn(join(root, 'etc'), '/etc');
  return onNode(node, node.manager.refresh, timeout);
}

/**
 * Installs packages. Where it fails because the node has no index of its own platform, or an old one, it reads all
 * indexes and tries once more.
 */
export async function installPackages(
  node: Node,
  packages: readonly NodePackage[],
  timeout: number,
): Promise<ExecResult> {
  const argv = node.manager.install(packages);
  const first = await onNode(node, argv, timeout);
  if (first.code === 0 || first.timedOut || !isStale(first.output)) return first;
  const refreshed = await onNode(node, node.manager.refreshAll, timeout);
  return refreshed.code === 0 ? onNode(node, argv, timeout) : first;
}

function isStale(output: string): boolean {
  return /Unable to locate package|404 {2}Not Found|unmet dependencies|is not installable|has no installation candidate/.test(
    output,
  );
}
