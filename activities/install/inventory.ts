import type { Node } from '../nodes/packages/node.ts';
import { endOfFiles } from './inside.ts';
import { scriptDirectory } from './place-scripts.ts';

const filesProgram = `${scriptDirectory}/files`;

/** What is on a node: its files, and the versions of its packages by name. */
export interface Inventory {
  readonly files: ReadonlySet<string>;
  readonly packages: ReadonlyMap<string, string>;
}

/** The same as it was looked at: some packages may be there in several versions. */
export interface Look extends Inventory {
  readonly installed: readonly InstalledPackage[];
}

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

/** In one turn: each costs a machine without KVM some tenths of a second. */
export async function look(node: Node, timeout: number): Promise<Look> {
  const { signal, machine, manager } = node;
  const argv = [filesProgram, ...manager.installed];
  const { code, output } = await machine.exec(argv, { signal, timeout, env: manager.environment });
  if (code !== 0) throw new Error(`cannot list the node's files and packages: ${output.slice(-300)}`);
  const found = lines(output);
  // Whatever a package calls its files, the last is ours.
  const end = found.lastIndexOf(endOfFiles);
  const installed = packagesIn(found.slice(end + 1));
  return { files: new Set(found.slice(0, Math.max(0, end))), packages: versionsByName(installed), installed };
}

/** dpkg names the architecture of packages that may be there for several. */
export function bareName(name: string): string {
  return name.replace(/:.*/, '');
}

export async function listPackages(node: Node, timeout: number): Promise<ReadonlyMap<string, string>> {
  return versionsByName(await listInstalled(node, timeout));
}

function versionsByName(installed: readonly InstalledPackage[]): ReadonlyMap<string, string> {
  return new Map(installed.map(({ name, version }) => [name, version]));
}

export async function listInstalled(node: Node, timeout: number): Promise<readonly InstalledPackage[]> {
  const { signal, machine, manager } = node;
  const { code, output } = await machine.exec(manager.installed, { signal, timeout, env: manager.environment });
  if (code !== 0) throw new Error(`cannot list the node's packages: ${output.slice(-300)}`);
  return packagesIn(lines(output));
}

function packagesIn(listed: readonly string[]): readonly InstalledPackage[] {
  const found = listed.map((line) => line.split('\t'));
  // RPM's database holds the keys that it was given, under a name of their own.
  const packages = found.filter(([name]) => name !== 'gpg-pubkey');
  return packages.map(([name = '', version = '']) => ({ name, version }));
}

export async function listFiles(node: Node, timeout: number): Promise<ReadonlySet<string>> {
  const { signal } = node;
  const { code, output } = await node.machine.exec([filesProgram], { signal, timeout });
  if (code !== 0) throw new Error(`cannot list the node's files: ${output.slice(-300)}`);
  return new Set(lines(output));
}

export function lines(output: string): string[] {
  return output.split('\n').filter((line) => line.trim() !== '');
}
