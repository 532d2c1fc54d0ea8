import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../../process/run.ts';
import { makeTemporary } from '../../process/temporary.ts';
import type { ListedPackage, PackagePair, RepositoryProblem } from '../port.ts';
import { type Part, partOf, partsIn } from './debug.ts';
import { list } from './index-read.ts';

/** One question to libsolv: can these packages of the tree stand on one system? */
type Question = readonly ListedPackage[];

/**
 * Asks libsolv which packages of the tree cannot be installed from it and the others. One for all architectures needs
 * a system of one of those that the tree is for.
 */
export async function uninstallable(tree: string, others: readonly string[]): Promise<RepositoryProblem[]> {
  const packages = (await list(tree)).filter(isBinary);
  const found = new Map<ListedPackage, string>();
  let open = packages;
  for (const arch of architecturesOf(packages)) {
    const asked = open.filter((one) => one.arch === arch || one.arch === 'noarch' || found.has(one));
    const answers = await solve(
      [tree, ...others],
      arch,
      asked.map((one) => [one]),
    );
    for (const [position, one] of asked.entries()) {
      const reason = answers[position] ?? null;
      if (reason === null) found.delete(one);
      else if (one.arch === arch || !found.has(one)) found.set(one, reason);
    }
    open = open.filter((one) => !asked.includes(one) || found.has(one));
  }
  return [...found].map(([{ name, version, arch }, message]) => ({
    kind: 'installability',
    subject: `${name}-${version}.${arch}`,
    message,
  }));
}

/** For each pair, whether one solution holds both. */
export async function together(
  tree: string,
  others: readonly string[],
  pairs: readonly PackagePair[],
): Promise<readonly boolean[]> {
  const held = pairs.map(() => false);
  for (const arch of architecturesOf(pairs.flat())) {
    const answers = await solve([tree, ...others], arch, pairs);
    for (const [position, answer] of answers.entries()) held[position] ||= answer === null;
  }
  return held;
}

function isBinary({ arch }: ListedPackage): boolean {
  return arch !== 'src' && arch !== 'nosrc';
}

function architecturesOf(packages: readonly ListedPackage[]): string[] {
  const found = [...new Set(packages.filter(isBinary).map(({ arch }) => arch))].filter((arch) => arch !== 'noarch');
  return found.length > 0 || packages.length === 0 ? found.sort().reverse() : ['x86_64'];
}

/** @returns for each question why libsolv finds no solution on a system of this architecture; null where it does */
async function solve(
  trees: readonly string[],
  arch: string,
  questions: readonly Question[],
): Promise<readonly (string | null)[]> {
  if (questions.length === 0) return [];
  const work = await makeTemporary('sluice-solve');
  try {
    const names: string[] = [];
    for (const [position, tree] of trees.entries()) {
      for (const part of await partsIn(tree)) {
        const name = nameOf(position, part);
        // With the lists of files, since a package may need any path.
        await must('repo2solv', ['-F', '-o', join(work, `${name}.solv`), join(tree, part)]);
        names.push(name);
      }
    }
    const repositories = names.map((name) => `repo ${name} 0 solv ${name}.solv`);
    const debug = (await partsIn(trees[0] ?? '')).length > 1;
    const install = ({ name, version, arch, path }: ListedPackage) =>
      `job install pkg ${name}-${version}.${arch}@${nameOf(0, partOf(path, debug))}`;
    const jobs = questions.map((one) => [...one.map(install), 'result problems <inline>'].join('\n'));
    // The system is named as one of RPM: libsolv as Debian builds it would compare versions as dpkg does.
    await writeFile(
      join(work, 'case'),
      [`system ${arch} rpm`, ...repositories, jobs.join('\nnextjob\n'), ''].join('\n'),
    );
    const { stdout } = await must('testsolv', ['-r', join(work, 'case')]);
    return readAnswers(stdout, questions.length);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function nameOf(tree: number, part: Part): string {
  return `r${tree}${part.slice(0, 1)}`;
}

/** Reads the lines `problem ID info WHY` of each answer; the head of an answer is left out where there is only one. */
function readAnswers(text: string, count: number): (string | null)[] {
  const answers = count === 1 ? [text] : text.split(/^test \d+:$/m).slice(1);
  if (answers.length !== count) throw new Error(`testsolv answered ${answers.length} of ${count} questions`);
  return answers.map((answer) => {
    const reasons = [...answer.matchAll(/^problem \S+ info (.*)$/gm)].map(([, why = '']) => explain(why));
    return reasons.length === 0 ? null : [...new Set(reasons)].join('; ');
  });
}

function explain(why: string): string {
  const [, need] = /^nothing provides (.*) needed by \S+$/.exec(why) ?? [];
  return need === undefined ? why : `needs ${need}, which nothing has`;
}
