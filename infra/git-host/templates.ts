import { git } from '../../activities/git/git.ts';

/** The project templates that fit what a branch holds: `debian/control` and spec files say how it is packaged. */
export async function findTemplates(repo: string, branch: string): Promise<string[]> {
  const paths = await git(repo, ['ls-tree', '-r', '-z', '--name-only', '--full-tree', `refs/heads/${branch}`]);
  const names = paths.split('\0');
  const deb = names.includes('debian/control');
  const rpm = names.some((name) => /^((rpm|packaging)\/)?[^/]+\.spec$/.test(name));
  return [...(deb ? ['deb-package'] : []), ...(rpm ? ['rpm-package'] : [])];
}
