import type { BringModules } from './modules.ts';
import { repositoryPath } from './names.ts';
import type { Git } from './port.ts';
import { pushHere } from './push.ts';
import { openRepositories } from './repositories.ts';

/**
 * Bare repositories below a directory of this machine, which their host itself keeps: there is nothing to fetch.
 *
 * @param modules brings submodules; absent: a tree that has some is not checked out
 */
export function createLocalGit(root: string, modules?: BringModules): Git {
  const at = (project: string) => repositoryPath(root, project);
  return {
    ...openRepositories(at, modules),
    ensure: async () => {},
    push: (state, expected, besides = []) => pushHere(at(state.project), [{ ...state, expected }, ...besides]),
  };
}
