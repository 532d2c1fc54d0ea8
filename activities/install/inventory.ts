import type { Node } from '../nodes/packages/node.ts';
import { scriptDirectory } from './place-scripts.ts';

const filesProgram = `${scriptDirectory}/files`;

/** What is installed on a node: some packages may be there in several versions. */
export interface Inventory {
  readonly installed: readonly InstalledPackage[];
  /** Versions by name. */
  readonly packages: ReadonlyMap<string, string>;
}

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

/**
 * What a node takes down of its files: those that are there as `known`, as `also-known` beside them, or as `came` where they are
 * not known. It keeps these lists itself: they are long, and each was to be sent.
 */
type FilesAre = 'known' | 'also-known' | 'came';

/** In one turn: each costs a machine without KVM some tenths of a second. `timeout` is in milliseconds. */
export async function look(node: Node, files: FilesAre, timeout: number): Promise<Inventory> {
  const { signal, machine, manager } = node;
  const argv = [filesProgram, files, ...manager.installed];
  const { code, output } = await machine.exec(argv, { signal, timeout, env: manager.environment });
  if (code !== 0) throw new Error(`cannot list the node's files and packages: ${output.slice(-300)}`);
  const installed = packagesIn(lines(output));
  return { installed, packages: versionsByName(installed) };
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

/** Paths, in order, of the files that were taken down as `came` and are there still. */
export async function listLeft(node: Node, timeout: number): Promise<readonly string[]> {
  const { signal } = node;
  const { code, output } = await node.machine.exec([filesProgram, 'left'], { signal, timeout });
  if (code !== 0) throw new Error(`cannot list the node's files: ${output.slice(-300)}`);
  return lines(output);
}

export function lines(output: string): string[] {
  return output.split('\n').filter((line) => line.trim() !== '');
}
