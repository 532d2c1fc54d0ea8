import { git } from '../git/git.ts';
import { printable, type Source } from './source.ts';

/** What to say instead, by the file's kind. */
const better = { changelog: 'dpkg-mergechangelogs', spec: 'spec-changelog' } as const;

/**
 * Warns of changelogs that a branch has merged line by line: two entries become one that is broken and still builds.
 * `.gitattributes` of the commit that is built says it.
 */
export async function unionRemarks({ gitDir, directory, paths }: Source): Promise<readonly string[]> {
  const changelogs = paths.filter((path) => path === 'debian/changelog' || path.endsWith('.spec'));
  if (gitDir === null || changelogs.length === 0) return [];
  const input = changelogs.map((path) => `${path}\0`).join('');
  const asked = ['check-attr', '--cached', '-z', '--stdin', 'merge'];
  const answers = (await git(gitDir, asked, { input, cwd: directory })).split('\0');
  const loose = changelogs.filter((_, index) => answers[3 * index + 2] === 'union');
  return loose.map((path) => {
    const driver = path.endsWith('.spec') ? better.spec : better.changelog;
    return `.gitattributes has merge=union for ${printable(path)}, which makes broken entries: use merge=${driver}`;
  });
}
