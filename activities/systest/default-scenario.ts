import type { TestCase } from '../../pipelines/report/junit.ts';
import { scriptDirectory } from '../install/place-scripts.ts';
import { installPackages, onNode } from '../nodes/packages/node.ts';
import type { Laboratory } from './laboratory.ts';
import { failureOf, problemLine } from './problem.ts';

const suite = 'all packages together';
/** Milliseconds for one step. */
const timeout = 600_000;

/** Installs every package on the first node at once, and looks at the files of each. */
export async function installTogether(laboratory: Laboratory, names: readonly string[]): Promise<TestCase[]> {
  const node = [...laboratory.nodes.values()][0];
  if (node === undefined) throw new Error('the job has no nodes');
  node.log.section(`Install together: ${names.join(', ')}`);
  const started = performance.now();
  const wanted = names.map((name) => ({ name }));
  const installed = await installPackages(node, wanted, timeout);
  const problem = problemLine(installed);
  const seconds = (performance.now() - started) / 1000;
  const cases: TestCase[] = [{ suite, name: 'install', seconds, ...failureOf(problem, installed) }];
  if (problem !== null) return cases;
  await laboratory.closeDoors();
  for (const name of names) {
    const from = performance.now();
    const looked = await onNode(node, [`${scriptDirectory}/integrity`, node.manager.format, name], timeout);
    const found = looked.output.split('\n').find((line) => line.trim() !== '') ?? null;
    cases.push({
      suite,
      name: `files of ${name}`,
      seconds: (performance.now() - from) / 1000,
      ...failureOf(found, looked),
    });
  }
  return cases;
}
