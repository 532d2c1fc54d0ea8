import { repositoryPath } from './names.ts';
import type { Git } from './port.ts';
import { pushHere } from './push.ts';
import { openRepositories } from './repositories.ts';

/** Bare repositories below a directory of this machine, which their host itself keeps: there is nothing to fetch. */
export function createLocalGit(root: string): Git {
  const at = (project: string) => repositoryPath(root, project);
  return {
    ...openRepositories(at),
    ensure: async () => {},
    push: (state, expected) => pushHere(at(state.project), { ...state, expected }),
  };
}
