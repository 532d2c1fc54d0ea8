import { problemTextAnywhere } from '../language/language.ts';
import type { Problem } from '../model/position.ts';
import { counted } from '../model/words.ts';

/** How many errors are told after a reload: the rest is `sluice config check`'s. */
const told = 10;

/**
 * What is wrong with the projects' own configuration, which a reload reads as well and does not refuse, in lines.
 *
 * @returns nothing where there are warnings at most
 */
export function pipelineErrors(problems: readonly Problem[]): readonly string[] {
  const wrong = problems.filter(({ severity }) => severity === 'error');
  if (wrong.length === 0) return [];
  const head = `The configuration of the pipelines has ${counted(wrong.length, 'error')} (sluice config check --server):`;
  return [head, ...wrong.slice(0, told).map(problemTextAnywhere)];
}

/** Instead of them, of a reload that was done all the same. */
export function problemsUnread(reason: string): string {
  return `The configuration file was read again; whether that of the pipelines has errors could not be asked: ${reason}`;
}
