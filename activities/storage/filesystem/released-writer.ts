import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { defaultKeepFormer } from '../../../pipelines/policy/former-files.ts';
import { exists } from '../../files/exists.ts';
import { makeOpenDirectory } from '../../files/modes.ts';
import {
  currentTree,
  type Generations,
  generationsOf,
  removeStaged,
  removeWhole,
  stagedPrefix,
  waitForTree,
} from '../../repository/generations.ts';
import { checked } from '../../repository/names.ts';
import { RepositoryRefusal } from '../../repository/port.ts';
import { showStaged, stageTree } from '../../repository/publish.ts';
import type { ReleasedWriter, StagedState } from '../port.ts';

/**
 * Released repositories in a directory, one beside the other, for whoever changes them.
 *
 * @param root the directory; made when absent
 * @param keepFormer how long clients of older states are served, in seconds
 */
export function createReleasedWriter(root: string, keepFormer = () => defaultKeepFormer): ReleasedWriter {
  const placeOf = (repository: string) => generationsOf(join(root, checked('file name', repository)));
  const find = async (of: StagedState) => {
    const generations = await placeOf(of.repository);
    const before = await currentTree(generations);
    const tree = join(generations.home, stagedName(of.name));
    return nameOf(before) === of.before ? { generations, tree, before } : null;
  };
  return {
    look: async (repository, work) => work(await currentTree(await placeOf(repository))),
    stage: async ({ repository, name }, { format, ...content }, complete) => {
      await makeOpenDirectory(root);
      const { dir } = await placeOf(repository);
      const staged = await stageTree(format, { ...content, dir, name: stagedName(name), keepFormer: keepFormer() });
      if (staged === null) return null;
      const done = await complete(staged);
      // It waits to be shown: what happens meanwhile must not take anything of it.
      await waitForTree(staged.tree, staged.before, staged.settled);
      return { before: nameOf(staged.before), done, notes: staged.state.notes };
    },
    amend: async (of, work) => {
      const found = await find(of);
      return found === null || !(await exists(found.tree)) ? null : work(found);
    },
    show: async (of, inUse) => {
      const found = await find(of);
      return found !== null && (await exists(found.tree)) && showStaged(found, inUse);
    },
    discard: async ({ repository, name }) => {
      const { home } = await placeOf(repository);
      await removeWhole(home, stagedName(name));
    },
    sweep: async (isWanted, dryRun) => {
      const names = await repositoriesBelow(root);
      const places: Generations[] = await Promise.all(names.map(placeOf));
      const removed = await Promise.all(places.map((place) => removeStaged(place, isWanted, dryRun)));
      return removed.reduce((sum, one) => sum + one, 0);
    },
  };
}

/** Every repository that was ever begun, shown or not. */
async function repositoriesBelow(root: string): Promise<readonly string[]> {
  const entries = await readdir(root).catch(() => []);
  return entries.flatMap((entry) => /^\.(.+)\.generations$/.exec(entry)?.[1] ?? []);
}

function nameOf(tree: string | null): string | null {
  return tree === null ? null : basename(tree);
}

/** What is shown is only what was staged. */
function stagedName(name: string): string {
  if (checked('file name', name).startsWith(stagedPrefix)) return name;
  throw new RepositoryRefusal(`not the name of a staged state: ${name}`);
}
