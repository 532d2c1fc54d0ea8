import { randomUUID } from 'node:crypto';
import { versionRules } from '../../pipelines/formats/format.ts';
import { type NamedPackage, repositoryChange } from '../../pipelines/policy/release-plan.ts';
import type { RepositoryPreview } from '../report/types.ts';
import { findConflicts } from '../repository/conflicts.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { type RepositoryFormat, type RepositoryProblem, RepositoryRefusal } from '../repository/port.ts';
import type { StateFiles } from '../storage/port.ts';
import { stagePlanned } from './plan-activities.ts';
import type { PlannedState } from './plan-port.ts';
import type { ReleaseDeps } from './port.ts';

export interface PreviewDeps {
  readonly release: ReleaseDeps;
  /**
   * Gives `work` the repositories that packages of a released one may take dependencies from; null where nobody knows
   * where the platform's own are.
   */
  readonly withBases: <T>(
    of: { readonly repository: string; readonly architectures: readonly string[] },
    work: (trees: readonly string[] | null) => Promise<T>,
  ) => Promise<T>;
}

/** Makes the next state of a repository as a commit does, looks at it, and removes it. */
export async function previewState(deps: PreviewDeps, state: PlannedState): Promise<RepositoryPreview> {
  const { repository } = state;
  const nothing = { repository, gains: [], loses: [], problems: [], unchecked: null, notes: [] };
  let found: RepositoryPreview = { ...nothing, refused: null };
  try {
    const staged = await stagePlanned(deps.release, {
      // A directory of its own: several may look at one repository.
      ...{ plan: `preview-${randomUUID()}`, state },
      look: async (at) => {
        found = { ...found, ...(await lookAt(deps, state, at)) };
      },
    });
    if (staged.outcome !== 'staged') return found;
    await deps.release.released.discard({ repository, name: staged.name });
    return { ...found, notes: staged.notes ?? [] };
  } catch (error) {
    if (!(error instanceof RepositoryRefusal)) throw error;
    return { ...nothing, refused: error.message };
  }
}

async function lookAt(deps: PreviewDeps, state: PlannedState, { tree, before }: StateFiles) {
  const format = repositoryFormats[state.format];
  const listed = async (of: string | null): Promise<readonly NamedPackage[]> => {
    const all = of === null ? [] : await format.list(of);
    return all.map(({ name, version, arch }) => ({ format: format.id, name, version, arch }));
  };
  const lists = { before: await listed(before), after: await listed(tree) };
  const change = repositoryChange(state.repository, lists, versionRules[format.id].compareVersions);
  const architectures = [...new Set(lists.after.map(({ arch }) => arch))].filter((arch) => !independent.has(arch));
  return deps.withBases({ repository: state.repository, architectures }, async (others) => {
    const found = await problemsOf(format, tree, others);
    // A look costs half a minute with a whole archive: without a problem there is nothing to compare.
    const earlier = before === null || found.length === 0 ? [] : await problemsOf(format, before, others);
    const known = new Set(earlier.map(keyOf));
    const problems = found.filter((one) => !known.has(keyOf(one)));
    const unchecked =
      others === null ? 'installability: nobody knows here where the platform has its own packages from' : null;
    return { ...change, problems, unchecked };
  });
}

/** What packages say that are for every architecture, or for none. */
const independent: ReadonlySet<string> = new Set(['all', 'noarch', 'source', 'src', 'nosrc']);

async function problemsOf(format: RepositoryFormat, tree: string, others: readonly string[] | null) {
  const uninstallable = others === null ? [] : await format.uninstallable(tree, others);
  return [...uninstallable, ...(await findConflicts(format, tree, others ?? []))];
}

function keyOf({ kind, subject, message }: RepositoryProblem): string {
  return JSON.stringify([kind, subject, message]);
}
