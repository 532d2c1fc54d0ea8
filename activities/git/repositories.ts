import { writeBundle } from './bundle.ts';
import { prepareChain } from './chain.ts';
import { exportTree } from './export.ts';
import { load, openWorkspace } from './merge.ts';
import { expireMergeViews } from './merge-view.ts';
import { readMerged } from './merged.ts';
import type { BringModules } from './modules.ts';
import { readCommits } from './objects.ts';
import type { Git } from './port.ts';
import { inCommon, isAncestor, mergeBase, readBranch, readBranches } from './refs.ts';
import { expireStates } from './states.ts';
import { expireTaken, readTaken } from './taken.ts';
import { changedFiles, readRoot, readTree } from './tree.ts';

/**
 * What can be done with bare repositories of this machine without asking any host.
 *
 * @param at where the repository of a project is
 * @param modules brings submodules; absent: a tree that has some is not checked out
 */
export function openRepositories(
  at: (project: string) => string,
  modules?: BringModules,
): Omit<Git, 'ensure' | 'push'> {
  return {
    branches: (project) => readBranches(at(project)),
    branchTip: (project, branch) => readBranch(at(project), branch),
    async resolve(project, revision) {
      const [commit] = await load(openWorkspace(at(project)), [revision]);
      if (!commit) throw new Error(`${project} has no ${revision}`);
      return { commit: commit.id, tree: commit.tree };
    },
    async readCommit(project, id) {
      const [commit] = await readCommits(at(project), [id]);
      if (!commit) throw new Error(`${project} has no commit ${id}`);
      return commit;
    },
    takenFrom: (project, branch) => readTaken(at(project), branch),
    isAncestor: (project, older, newer) => isAncestor(at(project), older, newer),
    mergeBase: (project, one, other) => mergeBase(at(project), one, other),
    inCommon: (project, one, others) => inCommon(at(project), one, others),
    changedFiles: (project, base, commit) => changedFiles(at(project), base, commit),
    readMerged: (of) => readMerged({ refs: at(of.project), objects: at(of.project) }, of),
    readRoot: (project, commit) => readRoot(at(project), commit),
    readTree: (project, commit, paths) => readTree(at(project), commit, paths),
    merge: (chain) => prepareChain({ at, ...chain }),
    async expire(projects, options) {
      let states = 0;
      for (const project of projects) {
        states += await expireStates(at(project), options);
        if (options.dryRun) continue;
        await expireMergeViews(at(project), options);
        await expireTaken(at(project), options.now);
      }
      return states;
    },
    exportTree: ({ project, branch, commit }, directory, signal) => {
      const bring = modules && ((until?: AbortSignal) => modules(project, commit, until));
      return exportTree({ repo: at(project), branch, commit, directory, modules: bring }, signal);
    },
    bundle: (project, content, file) => writeBundle(at(project), content, file),
  };
}
