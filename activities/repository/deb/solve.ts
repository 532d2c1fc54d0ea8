import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asWritten, spelledOut } from '../../../pipelines/formats/deb/any-architecture.ts';
import { reachable } from '../../../pipelines/formats/deb/reach.ts';
import { must, run } from '../../process/run.ts';
import { makeTemporary } from '../../process/temporary.ts';
import { readPacked } from '../files.ts';
import type { ListedPackage, PackagePair, RepositoryProblem } from '../port.ts';
import { isSourceList, list, packageLists, settings } from './index-read.ts';
import { isInstallerList } from './installer.ts';

/** Asks dose-debcheck which packages of the tree have no installable set in it and the others together. */
export async function uninstallable(tree: string, others: readonly string[]): Promise<RepositoryProblem[]> {
  const found: RepositoryProblem[] = [];
  for (const arch of await architecturesOf(tree)) {
    found.push(
      ...(await withLists([tree, ...others], arch, ([own = '', ...rest]) => solve(arch, own, rest))).map(problem),
    );
  }
  return found;
}

/** For each pair, whether one solution holds both: whether something that needs both could be installed. */
export async function together(
  tree: string,
  others: readonly string[],
  pairs: readonly PackagePair[],
): Promise<readonly boolean[]> {
  // Instances of one package for several architectures are made to stand together.
  const held = pairs.map(([one, other]) => one.name === other.name);
  for (const arch of pairs.length === 0 ? [] : await architecturesOf(tree)) {
    const asked = [...pairs.keys()].filter((nth) => pairs[nth]?.every((one) => [arch, 'all'].includes(one.arch)));
    const wishes = asked.map((nth) => wish(nth, pairs[nth] ?? []));
    const failed = await withLists([tree, ...others], arch, async (lists) => {
      const own = `${lists[0]}-wishes`;
      await writeFile(own, wishes.join('\n'));
      return (await solve(arch, own, lists)).map((entry) => entry.package);
    });
    for (const nth of asked) held[nth] ||= !failed.includes(wishName(nth));
  }
  return held;
}

/** A package that needs these ones. */
function wish(nth: number, packages: readonly ListedPackage[]): string {
  const needs = packages.map(({ name, version }) => `${name} (= ${version})`).join(', ');
  return `Package: ${wishName(nth)}\nVersion: 1\nArchitecture: all\nDepends: ${needs}\n`;
}

function wishName(nth: number): string {
  return `sluice-wish-${nth}`;
}

/** What the archive is for; where it does not say, what its packages are for. */
async function architecturesOf(tree: string): Promise<readonly string[]> {
  const { architectures } = await settings(tree);
  const found = [...new Set((await list(tree)).map(({ arch }) => arch))];
  const own = (architectures.length > 0 ? architectures : found).filter((arch) => arch !== 'all' && arch !== 'source');
  return own.length > 0 || found.length === 0 ? own : [(await must('dpkg', ['--print-architecture'])).stdout.trim()];
}

/** Gives `work` a file for each tree: what the first has for the architecture, and what that may need of the others. */
async function withLists<T>(
  trees: readonly string[],
  arch: string,
  work: (lists: readonly string[]) => Promise<T>,
): Promise<T> {
  const directory = await makeTemporary('sluice-solve');
  try {
    const [own = [], ...others] = await Promise.all(trees.map((tree) => readLists(tree, arch)));
    // An archive has sixty thousand packages: the solver, which reads them all, would take half a minute.
    const needed = new Set(reachable(own, others.flat()));
    const lists = onlyFirst([own, ...others.map((all) => all.filter((one) => needed.has(one)))]);
    return await work(
      await Promise.all(lists.map((list, position) => writeList(list, join(directory, `${arch}-${position}`)))),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Of a package that several lists have with the same version, that of the first: the solver would judge the last one's,
 * also where another is the one in question, and say nothing.
 */
function onlyFirst(lists: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const known = new Set<string>();
  return lists.map((list) => {
    const left = list.filter((one) => !known.has(nameAndVersion(one)));
    for (const one of left) known.add(nameAndVersion(one));
    return left;
  });
}

/** As the solver compares them: an epoch of 0 is none, and the architecture is the one that is asked about. */
function nameAndVersion(paragraph: string): string {
  const name = /^Package:[ \t]*(\S+)/im.exec(paragraph)?.[1] ?? '';
  return `${name} ${/^Version:[ \t]*(?:0+:)?(\S+)/im.exec(paragraph)?.[1] ?? ''}`;
}

/** Paragraphs of the binary packages for an architecture. */
async function readLists(tree: string, arch: string): Promise<readonly string[]> {
  const paths = (await packageLists(tree)).filter(({ path }) => !isSourceList(path) && !isInstallerList(path));
  const texts = await Promise.all(paths.map(({ path }) => readPacked(join(tree, path))));
  const packages = texts.flatMap((text) => text.split(/\n(?:[ \t]*\n)+/));
  const fitting = packages.filter((one) => [arch, 'all'].includes(/^Architecture:[ \t]*(\S+)/im.exec(one)?.[1] ?? ''));
  return fitting.map((one) => one.trim());
}

async function writeList(packages: readonly string[], file: string): Promise<string> {
  await writeFile(file, `${packages.map(spelledOut).join('\n\n')}\n`);
  return file;
}

async function solve(arch: string, own: string, others: readonly string[]): Promise<readonly Entry[]> {
  const bg = others.flatMap((path) => ['--bg', path]);
  const args = ['--explain', '--failures', `--deb-native-arch=${arch}`, '--fg', own, ...bg];
  const { code, stdout, stderr } = await run('dose-debcheck', args);
  if (code !== 0 && code !== 1) throw new Error(`dose-debcheck ended with ${code}: ${stderr.trim()}`);
  return readReport(asWritten(stdout));
}

interface Entry {
  readonly package: string;
  readonly version: string | number;
  readonly architecture: string;
  readonly reasons?: readonly Reason[];
}

interface Reason {
  readonly missing?: { readonly pkg: { readonly package: string; readonly 'unsat-dependency': string } };
  readonly conflict?: { readonly pkg1: { readonly package: string }; readonly pkg2: { readonly package: string } };
}

async function readReport(text: string): Promise<readonly Entry[]> {
  // Who only publishes asks nothing of it: a command line starts sooner without it.
  const { parse } = await import('yaml');
  // Versions look like numbers to YAML's core schema, which would turn 1.10 into 1.1.
  const { report } = parse(text, { schema: 'failsafe' }) as { readonly report?: readonly Entry[] | string };
  return Array.isArray(report) ? (report as readonly Entry[]) : [];
}

function problem(entry: Entry): RepositoryProblem {
  return {
    kind: 'installability',
    subject: `${entry.package} ${entry.version} (${entry.architecture})`,
    message: (entry.reasons ?? []).map(describe).join('; '),
  };
}

function describe({ missing, conflict }: Reason): string {
  if (missing !== undefined)
    return `${missing.pkg.package} needs ${missing.pkg['unsat-dependency']}, which nothing has`;
  return conflict === undefined ? 'unknown' : `${conflict.pkg1.package} conflicts with ${conflict.pkg2.package}`;
}
