import { isUtf8 } from 'node:buffer';
import { lstat, open, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git, tryGit } from '../git/git.ts';
import { must } from '../process/run.ts';
import { BuildProblem } from './problem.ts';

/** Bytes of a pointer at most, as Git LFS itself has it. */
const longestPointer = 1024;

/** What stands in a commit in place of a file's content, by who keeps the content elsewhere. */
const pointers: readonly { readonly who: string; readonly text: RegExp; readonly cure: string }[] = [
  {
    who: 'Git LFS',
    // The beginning of every pointer: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
    text: /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v\d+\n(?:[\s\S]*\n)?oid sha256:/,
    cure: 'git lfs migrate export',
  },
  // A locked file is a link, an unlocked one a text: https://git-annex.branchable.com/internals/pointer_file/
  {
    who: 'git-annex',
    text: /^(?:\/annex\/objects\/|(?:.*\/)?\.git\/annex\/objects\/)[^\n]+(?:\n|$)/,
    cure: 'git annex unannex',
  },
  { who: 'git-fat', text: /^#\$# git-fat [0-9a-f]{40} +\d+\n$/, cure: 'git fat pull' },
];

/** Whose pointer the text of a file (or a link) is: what Git has in place of the file's content; null for none. */
export function pointerOf(text: string): { readonly who: string; readonly cure: string } | null {
  if (text.length > longestPointer) return null;
  return pointers.find((each) => each.text.test(text)) ?? null;
}

/** A tree to look through: names are bytes, for they need not be UTF-8. */
export interface Committed {
  readonly directory: string;
  readonly names: readonly Buffer[];
  /** Null for a tree without history. */
  readonly gitDir: string | null;
}

/**
 * Refuses a tree in which a file is not there but for its name. A pointer for which `.gitattributes` says `-filter` is
 * meant as it is: programs that read pointers have some for their tests.
 *
 * @throws BuildProblem that names the first such file.
 */
export async function refusePointers(tree: Committed): Promise<void> {
  for (const name of tree.names) {
    const pointer = pointerOf(await smallText(inside(tree.directory, name)));
    if (pointer === null || (await filterOf(tree, name)) === 'unset') continue;
    const { who, cure } = pointer;
    throw new BuildProblem(
      `${JSON.stringify(String(name)).slice(1, -1)} is a ${who} pointer: its content is not in Git; commit the file itself (${cure}), or give it -filter in .gitattributes where the pointer is meant`,
    );
  }
}

async function filterOf({ directory, gitDir }: Committed, name: Buffer): Promise<string> {
  if (gitDir === null) return 'unspecified';
  const input = Buffer.concat([name, Buffer.of(0)]);
  const asked = ['check-attr', '--cached', '-z', '--stdin', 'filter'];
  return (await git(gitDir, asked, { input, cwd: directory })).split('\0')[2] ?? '';
}

/** A path below a directory whose name need not be UTF-8. */
export function inside(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name]);
}

async function smallText(path: Buffer): Promise<string> {
  const info = await lstat(path);
  if (info.isSymbolicLink()) return readlink(path, 'latin1');
  if (!info.isFile() || info.size > longestPointer || info.size < 30) return '';
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
    encoding: 'latin1',
  });
  // 1: none.
  if (candidates.code > 1) throw new Error(`git grep: ${candidates.stderr.trim()}`);
  if (candidates.stdout === '') return;
  const asked = ['check-attr', '--cached', '-z', '--stdin', 'export-subst'];
  const input = Buffer.from(candidates.stdout, 'latin1');
  const answers = (await git(gitDir, asked, { input, cwd: directory, encoding: 'latin1' })).split('\0');
  const marked: string[] = [];
  for (let at = 0; at + 2 < answers.length; at += 3) if (answers[at + 2] === 'set') marked.push(answers[at] ?? '');
  if (marked.length === 0) return;
  await writeFile(join(gitDir, 'info/attributes'), '* -export-ignore\n').catch(async () => {
    await must('mkdir', ['-p', join(gitDir, 'info')]);
    await writeFile(join(gitDir, 'info/attributes'), '* -export-ignore\n');
  });
  const archive = `${directory}.substituted.tar`;
  for (let from = 0; from < marked.length; from += some) {
    const paths = marked.slice(from, from + some).map(pathspec);
    const argv = ['-c', 'tar.umask=0022', 'archive', '--format=tar', `--output=${archive}`, 'HEAD', '--', ...paths];
    await git(gitDir, argv, { cwd: directory });
    await must('tar', ['--extract', '--no-same-owner', `--file=${archive}`, `--directory=${directory}`]);
  }
  await rm(archive, { force: true });
}

/**
 * Names one file to git. An argument of a program we start is UTF-8: each byte that is not is left open, and what else
 * is meant so is packed as it is there.
 *
 * @param path a character for each byte.
 */
function pathspec(path: string): string {
  const bytes = Buffer.from(path, 'latin1');
  if (isUtf8(bytes)) return `:(top,literal)${bytes}`;
  return `:(top,glob)${path.replace(/[\\*?[\]]/g, '\\$&').replace(/[^\x20-\x7e]/g, '?')}`;
}
