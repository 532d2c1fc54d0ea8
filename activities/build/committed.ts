import { lstat, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git, tryGit } from '../git/git.ts';
import { must } from '../process/run.ts';
import { BuildProblem } from './problem.ts';

/** Bytes of a pointer at most, as Git LFS itself has it. */
const longestPointer = 1024;

/** The beginning of every Git LFS pointer: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const pointer =
  /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v\d+\n(?:[\s\S]*\n)?oid sha256:/;

/** Whether the text of a file is a Git LFS pointer: what Git has in place of the file's content. */
export function isPointer(text: string): boolean {
  return text.length <= longestPointer && pointer.test(text);
}

/**
 * Refuses a tree in which a file is not there but for its name.
 *
 * @throws BuildProblem that names the first such file.
 */
export async function refusePointers(directory: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (!isPointer(await smallText(join(directory, path)))) continue;
    const name = JSON.stringify(path).slice(1, -1);
    throw new BuildProblem(
      `${name} is a Git LFS pointer: its content is not in Git; commit the file itself (git lfs migrate export)`,
    );
  }
}

async function smallText(path: string): Promise<string> {
  const info = await lstat(path);
  if (!info.isFile() || info.size > longestPointer || info.size < 60) return '';
  const file = await open(path);
  try {
    return await file.readFile('latin1');
  } finally {
    await file.close();
  }
}

/** Paths for one command line. */
const some = 200;

/**
 * Expands `$Format:…$` in the files that `.gitattributes` marks with `export-subst`, as `git archive` does. What it
 * marks with `export-ignore` stays: a package is built from the whole commit.
 *
 * @param gitDir of a copy that is ours alone.
 */
export async function expandSubstitutions(gitDir: string, directory: string): Promise<void> {
  const candidates = await tryGit(gitDir, ['grep', '--cached', '-z', '-l', '-a', '--fixed-strings', '$Format:'], {
    cwd: directory,
    env: { GIT_WORK_TREE: directory },
  });
  // 1: none.
  if (candidates.code > 1) throw new Error(`git grep: ${candidates.stderr.trim()}`);
  if (candidates.stdout === '') return;
  const asked = ['check-attr', '--cached', '-z', '--stdin', 'export-subst'];
  const answers = (await git(gitDir, asked, { input: candidates.stdout, cwd: directory })).split('\0');
  const marked: string[] = [];
  for (let at = 0; at + 2 < answers.length; at += 3) if (answers[at + 2] === 'set') marked.push(answers[at] ?? '');
  if (marked.length === 0) return;
  await writeFile(join(gitDir, 'info/attributes'), '* -export-ignore\n').catch(async () => {
    await must('mkdir', ['-p', join(gitDir, 'info')]);
    await writeFile(join(gitDir, 'info/attributes'), '* -export-ignore\n');
  });
  const archive = `${directory}.substituted.tar`;
  for (let from = 0; from < marked.length; from += some) {
    const paths = marked.slice(from, from + some).map((path) => `:(top,literal)${path}`);
    const argv = ['-c', 'tar.umask=0022', 'archive', '--format=tar', `--output=${archive}`, 'HEAD', '--', ...paths];
    await git(gitDir, argv, { cwd: directory });
    await must('tar', ['--extract', '--no-same-owner', `--file=${archive}`, `--directory=${directory}`]);
  }
  await rm(archive, { force: true });
}
