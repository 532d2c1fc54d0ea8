import { must, type RunOptions, type RunResult, run } from '../process/run.ts';

/**
 * What new repositories are: we read and write objects and refs ourselves in places, and later versions of Git have
 * other defaults. A Git that does not know one of the two only makes what is meant.
 */
export const repositoryFormat = { GIT_DEFAULT_HASH: 'sha1', GIT_DEFAULT_REF_FORMAT: 'files' } as const;

/** Git reads no configuration but the repository's own, asks nobody, and replaces no objects. */
export const gitEnvironment = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  ...repositoryFormat,
} as const;

export interface GitOptions extends Pick<RunOptions, 'input' | 'signal' | 'encoding' | 'timeout' | 'env' | 'cwd'> {
  /** Bytes that a file may have which git writes: the system ends it there. */
  readonly largest?: number;
}

/** Runs git on a bare repository; answers with its standard output. @throws ProcessError when git fails. */
export async function git(repo: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
  return (await must('git', commandLine(repo, args), withEnvironment(options))).stdout;
}

/** Runs git on a bare repository; the exit code is part of the answer. */
export function tryGit(repo: string, args: readonly string[], options: GitOptions = {}): Promise<RunResult> {
  const { largest, ...rest } = withEnvironment(options);
  if (largest === undefined) return run('git', commandLine(repo, args), rest);
  return run('prlimit', [`--fsize=${largest}`, '--', 'git', ...commandLine(repo, args)], rest);
}

function commandLine(repo: string, args: readonly string[]): string[] {
  return [`--git-dir=${repo}`, ...args];
}

function withEnvironment(options: GitOptions): GitOptions {
  return { ...options, env: { ...gitEnvironment, ...options.env } };
}
