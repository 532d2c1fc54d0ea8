import { checkBranch, checkProject } from '../../git/names.ts';

/** Whether a project and a branch have names that may go everywhere; others are none of ours. */
export function isSafeProject(project: string, branch: string): boolean {
  try {
    checkProject(project);
    checkBranch(branch);
    return true;
  } catch {
    return false;
  }
}
