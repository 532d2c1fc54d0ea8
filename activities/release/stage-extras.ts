import { formatOf } from '../repository/formats.ts';
import { RepositoryRefusal } from '../repository/port.ts';
import type { StoredExtras } from './plan-port.ts';
import type { ReleaseDeps, StagedRelease } from './port.ts';
import { type StageOthers, stageChange } from './stage.ts';

/**
 * The state of a released repository with other advisories, groups or modules.
 *
 * @throws RepositoryRefusal with file and line of a fault, and where the repository is not there, or is one of APT
 */
export async function stageExtras(
  deps: ReleaseDeps,
  request: StageOthers & { readonly extras: StoredExtras },
): Promise<StagedRelease> {
  const { repository, extras } = request;
  const format = await deps.released.look(repository, async (tree) => (tree === null ? null : formatOf(tree)));
  if (format === null) throw new RepositoryRefusal('nothing is released there yet');
  if (format.extras === null) throw new RepositoryRefusal('an APT repository has no updateinfo, comps or modules');
  const given = extras.given.map(async ({ kind, name: from, digest }) => {
    return { kind, from, text: (await deps.store.read(digest)).toString() };
  });
  return stageChange(deps, request, { extras: { given: await Promise.all(given), remove: extras.remove } });
}
