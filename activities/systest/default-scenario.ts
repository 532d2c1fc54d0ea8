import type { TestCase } from '../../pipelines/report/junit.ts';
import { scriptDirectory } from '../install/place-scripts.ts';
import { type Node, onNode } from '../nodes/packages/node.ts';
import { type Pair, standTogether } from './exclusive.ts';
import type { Laboratory } from './laboratory.ts';
import { failureOf, installOn, problemLine, recorded, timed } from './problem.ts';

/** Milliseconds for one step. */
const timeout = 600_000;

/**
 * Installs every package at once on the first node, and looks at the files of each. Where some exclude one another, sets
 * that can stand together are tried: each is removed before the next comes.
 *
 * @param apart pairs that exclude one another.
 * @param cases gets what was done, also where this comes to no end
 */
export async function installTogether(
  laboratory: Pick<Laboratory, 'nodes'>,
  { names, apart }: { readonly names: readonly string[]; readonly apart: readonly Pair[] },
  cases: TestCase[] = [],
): Promise<TestCase[]> {
  const node = firstNode(laboratory);
  const sets = apart.length === 0 ? [names] : await chooseSets(node, names, apart);
  for (const [position, set] of sets.entries()) {
    const suite = sets.length === 1 ? 'all packages together' : `set ${position + 1} of ${sets.length}`;
    if (position > 0) cases.push(...(await makeRoom(node, { suite, names: sets[position - 1] ?? [] })));
    const others = [...sets.slice(position + 1).flat(), ...excludedBy(set, apart)];
    await installSet(without(node, others), { suite, names: set }, cases);
  }
  return cases;
}

function excludedBy(set: readonly string[], apart: readonly Pair[]): readonly string[] {
  const isIn = (name: string) => set.includes(name);
  return apart.filter((pair) => pair.some(isIn)).flatMap((pair) => pair.filter((name) => !isIn(name)));
}

/** The system may keep versions of its own of what does not stand beside a set: those come with a set of their own. */
function without(node: Node, names: readonly string[]): Node {
  if (node.tested === undefined) return node;
  return { ...node, tested: new Map([...node.tested].filter(([name]) => !names.includes(name))) };
}

/** Removes the set before, as far as the system can be without it. */
async function makeRoom(node: Node, { suite, names }: PackageSet): Promise<TestCase[]> {
  const removed = await onNode(node, node.manager.remove(names), timeout);
  if (removed.code === 0 || node.manager.refusesRemoval(removed.output)) return [];
  return [{ suite, name: 'remove the set before', seconds: 0, ...failureOf(problemLine(removed), removed) }];
}

function firstNode({ nodes }: Pick<Laboratory, 'nodes'>): Node {
  const node = [...nodes.values()][0];
  if (node === undefined) throw new Error('the job has no nodes');
  return node;
}

/** What the packages say of one another is not all: what one of them needs may be in the way as well. */
async function chooseSets(
  node: Node,
  names: readonly string[],
  apart: readonly Pair[],
): Promise<readonly (readonly string[])[]> {
  node.log.section(`Sets: ${apart.map((pair) => pair.join(' and ')).join(', ')} exclude one another`);
  const said = (some: readonly string[]) => apart.some((pair) => pair.every((name) => some.includes(name)));
  const sets = await standTogether(names, async (some) => {
    if (said(some)) return false;
    const wanted = some.map((name) => ({ name }));
    return node.manager.resolved(await onNode(node, node.manager.resolve(wanted), timeout));
  });
  for (const [position, set] of sets.entries()) node.log.write(`set ${position + 1}: ${set.join(', ')}\n`);
  return sets;
}

interface PackageSet {
  readonly suite: string;
  readonly names: readonly string[];
}

async function installSet(node: Node, { suite, names }: PackageSet, cases: TestCase[]): Promise<void> {
  node.log.section(`Install together: ${names.join(', ')}`);
  const wanted = names.map((name) => ({ name }));
  const { failure } = await recorded(cases, { suite, name: 'install' }, () => installOn(node, wanted, timeout));
  if (failure !== undefined) return;
  await node.door?.close();
  for (const name of names) {
    await recorded(cases, { suite, name: `files of ${name}` }, async () => {
      const started = performance.now();
      const looked = await onNode(node, [`${scriptDirectory}/integrity`, node.manager.format, name], timeout);
      const found = looked.output.split('\n').find((line) => line.trim() !== '') ?? null;
      return { ...timed(started), ...failureOf(found, looked) };
    });
  }
}
