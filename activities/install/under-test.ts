import { triedFiles } from '../../pipelines/model/artifact.ts';
import { type Node, onNode } from '../nodes/packages/node.ts';
import type { NodePackage, NodeRepository, TestedVersions } from '../nodes/packages/port.ts';
import { problemOf } from '../nodes/packages/problem.ts';
import type { BlobStore } from '../ports.ts';
import { readManifest } from '../storage/manifest.ts';
import { bareName, type InstalledPackage, listInstalled } from './inventory.ts';
import type { JobRepositories, OfferedRepository } from './repositories.ts';

/** What is tested is what was built: this is how a node is told, and how it is seen afterwards. */
export interface Tested {
  /**
   * The test repositories, with what they hold: the job's own, and those of what is ahead of it or needed, newest first as
   * for builds: a node takes the first of several that have one version.
   */
  readonly own: readonly NodeRepository[];
  readonly provided: readonly NodeRepository[];
  readonly versions: TestedVersions;
}

/**
 * What a job's test repositories hold. All packages of one source are meant to go together, whatever the others offer; of
 * what changes of one branch have built one after the other, the last is under test.
 */
export async function readTested(store: BlobStore, { own, provided }: JobRepositories): Promise<Tested> {
  const holding = async ({ repository, metadata }: OfferedRepository) => {
    const manifest = await readManifest(store, metadata.manifest);
    const { project, branch } = manifest.source;
    return {
      repository,
      line: JSON.stringify([project, branch, manifest.platform]),
      holds: triedFiles(manifest).map(({ package: name, version }) => ({ name, version })),
    };
  };
  const mine = await Promise.all(own.map(holding));
  const others = await Promise.all(provided.map(holding));
  const named = ({ repository, holds }: Holding) => ({ ...repository, names: holds.map(({ name }) => name) });
  const ownVersions = versionsOf(mine.flatMap(({ holds }) => holds));
  const versions = new Map([...versionsOf(lastOf(others)), ...ownVersions]);
  // Of the job's own no other version is taken anyway.
  const isPast = ({ name, version }: InstalledPackage) =>
    !ownVersions.has(name) && !versions.get(name)?.has(withoutZero(version));
  return {
    own: mine.map((one) => ({ ...named(one), pins: one.holds })),
    provided: others.map((one) => ({ ...named(one), without: one.holds.filter(isPast) })).toReversed(),
    versions,
  };
}

interface Holding {
  readonly repository: NodeRepository;
  /** Those of one line follow each other. */
  readonly line: string;
  readonly holds: readonly InstalledPackage[];
}

/** Of each name in each line, what the last repository that holds it has. */
function lastOf(repositories: readonly Holding[]): readonly InstalledPackage[] {
  const last = new Map<string, readonly InstalledPackage[]>();
  for (const { line, holds } of repositories) {
    const byName = Map.groupBy(holds, ({ name }) => name);
    for (const [name, some] of byName) last.set(`${line} ${name}`, some);
  }
  return [...last.values()].flat();
}

function versionsOf(packages: readonly InstalledPackage[]): Map<string, ReadonlySet<string>> {
  const byName = Map.groupBy(packages, ({ name }) => name);
  return new Map([...byName].map(([name, some]) => [name, new Set(some.map(({ version }) => withoutZero(version)))]));
}

/** Names that are under test and installed, but in no version that is: with the versions that should be there. */
export function standIns(
  installed: readonly InstalledPackage[],
  tested: TestedVersions,
): readonly { readonly name: string; readonly there: string; readonly versions: ReadonlySet<string> }[] {
  const byName = Map.groupBy(installed, ({ name }) => bareName(name));
  return [...byName].flatMap(([name, some]) => {
    const versions = tested.get(name);
    const [first] = some;
    if (versions === undefined || first === undefined) return [];
    return some.some(({ version }) => versions.has(withoutZero(version)))
      ? []
      : [{ name, there: first.version, versions }];
  });
}

/** Packages of the system itself that are under test, and have to be brought up to that: nothing else asks for it. */
export function oldOnes({ tested }: Node, installed: readonly InstalledPackage[]): readonly NodePackage[] {
  if (tested === undefined) return [];
  return standIns(installed, tested).map(({ name, versions }) => exact(name, versions));
}

/**
 * Looks whether an installed package stands in the place of what was built: a package manager that has another source of
 * one takes that, and is content.
 *
 * @returns one line that names it, and why what is under test is not there; null where all is as it was built
 */
export async function standInOn(node: Node, installation: Installation): Promise<string | null> {
  if (node.tested === undefined) return null;
  return standInAmong(node, await listInstalled(node, installation.timeout), installation);
}

/** The same, among what is installed. */
export async function standInAmong(
  node: Node,
  installed: readonly InstalledPackage[],
  { wanted, timeout }: Installation,
): Promise<string | null> {
  const { tested } = node;
  const [first] = tested === undefined ? [] : standIns(installed, tested);
  if (first === undefined) return null;
  const { name, there, versions } = first;
  const said = `${name} ${there} is installed in the place of ${[...versions].join(' or ')}, which is under test`;
  const result = await onNode(node, node.manager.resolve([...wanted, exact(name, versions)]), timeout);
  return node.manager.resolved(result) ? said : `${said}: ${problemOf(result)}`;
}

/** What was asked for; `timeout` in milliseconds for each question. */
export interface Installation {
  readonly wanted: readonly NodePackage[];
  readonly timeout: number;
}

function exact(name: string, versions: ReadonlySet<string>): NodePackage {
  const [version] = versions;
  return version === undefined || versions.size > 1 ? { name } : { name, version };
}

/** An epoch of 0 is the same as none. */
function withoutZero(version: string): string {
  return version.replace(/^0+:/, '');
}
