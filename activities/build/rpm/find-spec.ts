import { parseSpecHead } from '../../../pipelines/formats/rpm/spec.ts';
import { BuildProblem } from '../problem.ts';
import { printable, readSourceBytes, type Source } from '../source.ts';

export interface SpecFile {
  readonly path: string;
  /** A character for each byte: not every old spec is UTF-8, and what is not ours stays as it is. */
  readonly text: string;
}

/** Folders that a spec is usually kept in, best first; any other comes after them. */
const usual = ['', 'packaging', 'rpm', 'specs', 'spec', 'packaging/rpm', 'dist', 'contrib', 'doc', 'redhat', 'fedora'];

/**
 * Finds the spec of a tree: the one in the most usual folder, of several there the one named like the project.
 *
 * @throws BuildProblem when there is none, or when it cannot be told which one is meant.
 */
export async function findSpec(source: Source, project: string): Promise<SpecFile> {
  const found: SpecFile[] = [];
  for (const path of source.paths.filter((each) => each.endsWith('.spec'))) {
    const text = (await readSourceBytes(source, path))?.toString('latin1');
    if (text !== undefined && parseSpecHead(text) !== null) found.push({ path, text });
  }
  if (found.length === 0) throw new BuildProblem('no .spec file in the tree: an RPM package is described in NAME.spec');
  const best = Math.min(...found.map(({ path }) => rank(path)));
  const candidates = found.filter(({ path }) => rank(path) === best);
  const name = project.split('/').pop();
  const [only, ...more] = candidates;
  const named = candidates.find(({ path }) => path.split('/').pop() === `${name}.spec`);
  if (named !== undefined) return named;
  if (only !== undefined && more.length === 0) return only;
  const names = candidates.map(({ path }) => printable(path)).join(', ');
  throw new BuildProblem(`several .spec files (${names}): keep one of them, or name one ${printable(`${name}.spec`)}`);
}

function rank(path: string): number {
  const folder = path.split('/').slice(0, -1).join('/').toLowerCase();
  const at = usual.indexOf(folder);
  if (at >= 0) return at;
  const aside = /(?:^|\/)(?:tests?|t|examples?|samples?)(?:\/|$)/.test(folder);
  return usual.length + folder.split('/').length + (aside ? 100 : 0);
}
