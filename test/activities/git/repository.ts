import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { git } from '../../../activities/git/git.ts';
import { repositoryPath } from '../../../activities/git/names.ts';

/** A directory that is removed after the test. */
export async function scratch(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-git-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** An empty bare repository below `root`. */
export async function bareRepository(root: string, project: string): Promise<string> {
  const repo = repositoryPath(root, project);
  await git(repo, ['init', '--quiet', '--bare', '--template=', '--initial-branch=master', repo]);
  return repo;
}

export interface CommitRequest {
  readonly parents?: readonly string[];
  /** Replaces files of the first parent; null removes one. */
  readonly files: Readonly<Record<string, string | null>>;
  /** Those of them that may be run. */
  readonly programs?: readonly string[];
  /** Submodules, by path: the commits that they are at. */
  readonly links?: Readonly<Record<string, string>>;
  readonly message?: string;
  readonly author?: string;
  /** Seconds since the epoch. */
  readonly time?: number;
}

let indexes = 0;

/** Commits without a work tree; answers with the commit's id. */
export async function makeCommit(repo: string, request: CommitRequest): Promise<string> {
  const {
    parents = [],
    files,
    programs = [],
    links = {},
    message = 'Change something\n',
    author = 'Ada',
    time = 1_700_000_000,
  } = request;
  indexes += 1;
  const env = { GIT_INDEX_FILE: join(repo, `index-${process.pid}-${indexes}`), ...identity(author, time) };
  if (parents[0] !== undefined) await git(repo, ['read-tree', parents[0]], { env });
  for (const [path, content] of Object.entries(files)) {
    if (content === null) {
      const input = `0 ${'0'.repeat(40)}\t${path}\0`;
      await git(repo, ['update-index', '-z', '--index-info'], { env, input });
      continue;
    }
    const blob = (await git(repo, ['hash-object', '-w', '--stdin'], { input: content })).trim();
    await git(
      repo,
      ['update-index', '--add', '--cacheinfo', `${programs.includes(path) ? 100755 : 100644},${blob},${path}`],
      { env },
    );
  }
  for (const [path, at] of Object.entries(links))
    await git(repo, ['update-index', '--add', '--cacheinfo', `160000,${at},${path}`], { env });
  const tree = (await git(repo, ['write-tree'], { env })).trim();
  const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent])];
  return (await git(repo, args, { env, input: message })).trim();
}

export async function setBranch(repo: string, branch: string, commit: string): Promise<void> {
  await git(repo, ['update-ref', `refs/heads/${branch}`, commit]);
}

/** What a file of a commit holds. */
export function fileAt(repo: string, commit: string, path: string): Promise<string> {
  return git(repo, ['cat-file', 'blob', `${commit}:${path}`]);
}

function identity(name: string, time: number): Record<string, string> {
  const email = `${name.toLowerCase()}@example.org`;
  const date = `${time} +0200`;
  return {
    ...{ GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: date },
    ...{ GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email, GIT_COMMITTER_DATE: date },
  };
}
