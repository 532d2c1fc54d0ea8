import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuildLog } from '../../ports.ts';
import type { ExecResult, Machine } from '../port.ts';
import { downloadFault } from './download-fault.ts';
import type { NodePackage, NodeRepository, PackageManager, TestedVersions } from './port.ts';
import { unreadable } from './unreadable.ts';

/** A machine with a package manager. */
export interface Node {
  readonly name: string;
  readonly machine: Pick<Machine, 'exec' | 'put' | 'urlInside' | 'console'> & Partial<Pick<Machine, 'restart'>>;
  readonly manager: PackageManager;
  readonly signal: AbortSignal;
  readonly log: BuildLog;
  /** Its way to the repositories, where that can be closed; absent for a node that keeps it. */
  readonly door?: Door;
  /** Of these names it takes no other versions; absent where nobody knows what is under test. */
  readonly tested?: TestedVersions;
}

/** Gives a node its network, and takes it away again. Doing it twice is done once. */
interface Door {
  open(): Promise<void>;
  close(): Promise<void>;
}

/** The door of a machine that was open from the start; nothing for one whose network is its own. */
export function doorOf(machine: Pick<Machine, 'open' | 'close' | 'network'>): Pick<Node, 'door'> {
  if (machine.network !== undefined) return {};
  let isOpen = true;
  const turn = async (wanted: boolean) => {
    if (wanted === isOpen) return;
    await (wanted ? machine.open() : machine.close());
    isOpen = wanted;
  };
  return { door: { open: () => turn(true), close: () => turn(false) } };
}

/** The same node, whose programs are run in another way. */
export function runBy(node: Node, exec: Machine['exec']): Node {
  const { machine } = node;
  const put: Machine['put'] = (path, directory) => machine.put(path, directory);
  return { ...node, machine: { exec, put, urlInside: (url) => machine.urlInside?.(url) ?? url } };
}

/** Runs a program on the node, its output in the log. `timeout` is in milliseconds. */
export function onNode(node: Node, argv: readonly string[], timeout: number): Promise<ExecResult> {
  const { signal, log, manager } = node;
  log.write(`${node.name}# ${argv.join(' ')}\n`);
  return node.machine.exec(argv, { signal, log, timeout, env: manager.environment });
}

/** How repositories are offered to a node. */
export interface Offering {
  /** Takes the files that are copied in. */
  readonly workdir: string;
  /** Of reading the indexes, in milliseconds. */
  readonly timeout: number;
  /** Which are read: absent, those of these repositories alone. */
  readonly refresh?: 'all';
}

/** Offers repositories to the node, these and no others beside the platform's own, and reads their indexes. */
export async function addRepositories(
  node: Node,
  repositories: readonly NodeRepository[],
  { workdir, timeout, refresh }: Offering,
): Promise<ExecResult> {
  const root = await mkdtemp(join(workdir, 'etc-'));
  const { machine } = node;
  const inside = repositories.map((each) => ({ ...each, url: machine.urlInside?.(each.url) ?? each.url }));
  for (const [path, text] of Object.entries(node.manager.configure(inside))) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  await machine.put(join(root, 'etc'), '/etc');
  return onNode(node, refresh === 'all' ? node.manager.refreshAll : node.manager.refresh, timeout);
}

/** Further tries while something cannot be fetched, and milliseconds before each. */
const retries = 2;
const pause = 2_000;

/**
 * Installs packages. Where it fails because the node has no index of its own platform, or an old one, or because
 * something cannot be fetched, it reads all indexes and tries again.
 *
 * @throws when repositories cannot be reached: that says nothing of the packages.
 */
export function installPackages(node: Node, packages: readonly NodePackage[], timeout: number): Promise<ExecResult> {
  return fetching(node, node.manager.install(packages), timeout);
}

/** The same, of what was released before: nothing comes from test repositories. */
export function installReleased(node: Node, packages: readonly NodePackage[], timeout: number): Promise<ExecResult> {
  return fetching(node, node.manager.installReleased(packages), timeout);
}

async function fetching(node: Node, argv: readonly string[], timeout: number): Promise<ExecResult> {
  await node.door?.open();
  let result = await onNode(node, argv, timeout);
  if (fault(result) === null && !isStale(result)) return result;
  for (let tries = 0; tries < retries; tries += 1) {
    if (tries > 0) await sleep(pause, undefined, { signal: node.signal });
    const refreshed = await onNode(node, node.manager.refreshAll, timeout);
    if (refreshed.code !== 0) throw unreachable(node, unreadable(refreshed.output, []));
    result = await onNode(node, argv, timeout);
    if (fault(result) === null) return result;
  }
  throw unreachable(node, fault(result) ?? '');
}

function unreachable(node: Node, why: string): Error {
  return new Error(`${node.name} cannot read its repositories: ${why}`);
}

function fault({ code, timedOut, output }: ExecResult): string | null {
  return code === 0 || timedOut ? null : downloadFault(output);
}

function isStale({ code, timedOut, output }: ExecResult): boolean {
  if (code === 0 || timedOut) return false;
  return /Unable to locate package|unmet dependencies|is not installable|has no installation candidate/.test(output);
}
