import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** Further tries while the network fails, and milliseconds before each. */
const networkRetries = 2;
const networkPause = 2_000;

/**
 * Installs packages. Where it fails because the node has no index of its own platform, or an old one, it reads all
 * indexes and tries once more.
 *
 * @throws when repositories cannot be reached: that says nothing of the packages.
 */
export async function installPackages(
  node: Node,
  packages: readonly NodePackage[],
  timeout: number,
): Promise<ExecResult> {
  const argv = node.manager.install(packages);
  const first = await throughNetwork(node, argv, timeout);
  if (first.code === 0 || first.timedOut || !isStale(first.output)) return first;
  const refreshed = await onNode(node, node.manager.refreshAll, timeout);
  return refreshed.code === 0 ? throughNetwork(node, argv, timeout) : first;
}

async function throughNetwork(node: Node, argv: readonly string[], timeout: number): Promise<ExecResult> {
  for (let tries = 0; ; tries += 1) {
    const result = await onNode(node, argv, timeout);
    const fault = result.code === 0 || result.timedOut ? null : networkFault(result.output);
    if (fault === null) return result;
    if (tries >= networkRetries) throw new Error(`${node.name} cannot reach its repositories: ${fault}`);
    await sleep(networkPause, undefined, { signal: node.signal });
  }
}

/** The line that says that a server could not be reached, or null. */
function networkFault(output: string): string | null {
  const said =
    /^.*(Could not connect|Connection failed|Temporary failure resolving|Could not resolve|Curl error \((6|7|28|56)\)).*$/m;
  return said.exec(output)?.[0].trim() ?? null;
}

function isStale(output: string): boolean {
  return /Unable to locate package|404 {2}Not Found|unmet dependencies|is not installable|has no installation candidate/.test(
    output,
  );
}
