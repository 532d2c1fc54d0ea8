import { prepareChain } from './chain.ts';
import { exportTree } from './export.ts';
import { load, openWorkspace } from './merge.ts';
import { expireMergeViews } from './merge-view.ts';
import { repositoryPath } from './names.ts';
import type { Git } from './port.ts';
import { readBranch, readBranches } from './refs.ts';
import { expireStates } from './states.ts';
import { readRoot, readTree } from './tree.ts';

/** Bare repositories below a directory of this machine, which their host itself keeps: there is nothing to fetch. */
export function createLocalGit(root: string): Git {
  const at = (project: string) => repositoryPath(root, project);
  return {
    ensure: async () => {},
    branches: (project) => readBranches(at(project)),
    branchTip: (project, branch) => readBranch(at(project), branch),
    async resolve(project, revision) {
      const [commit] = await load(openWorkspace(at(project)), [revision]);
      if (!commit) throw new Error(`${project} has no ${revision}`);
      return { commit: commit.id, tree: commit.tree };
    },
    readRoot: (project, commit) => readRoot(at(project), commit),
    readTree: (project, commit, paths) => readTree(at(project), commit, paths),
    merge: (chain) => prepareChain({ root, ...chain }),
    async expire(projects, options) {
      let states = 0;
      for (const project of projects) {
        states += await expireStates(at(project), options);
        if (!options.dryRun) await expireMergeViews(at(project), options);
      }
      return states;
    },
    exportTree: ({ project, branch, commit }, directory, signal) =>
      exportTree({ repo: at(project), branch, commit, directory }, signal),
  };
}
