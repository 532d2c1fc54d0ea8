import type { BranchName, ReviewHost } from '../../activities/review/port.ts';
import { isGated, isListed } from '../config/projects.ts';
import type { StackConfig } from '../stack/settings.ts';

/**
 * Whether a branch says what is merged: one that the configuration lists for its project; where it lists none, one that
 * the host keeps. What people push to other branches of a project was proposed at most. A project that was renamed at its
 * host is held to what is said of either name.
 *
 * @param projects what is said of a project, by its name
 * @param host null where Sluice is the host itself: nobody else moves its branches
 */
export async function isMergeBranch(
  projects: (project: string) => StackConfig['projects'],
  of: BranchName,
  host: Pick<ReviewHost, 'readStanding'> | null,
): Promise<boolean> {
  if (!isGated(projects(of.project), of)) return false;
  if (host === null) return true;
  const standing = await host.readStanding(of);
  if (standing === null) return false;
  const names = [of, { project: standing.project, branch: of.branch }];
  if (!names.every((name) => isGated(projects(name.project), name))) return false;
  return standing.kept || names.some((name) => isListed(projects(name.project), name));
}
