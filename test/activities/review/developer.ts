import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { must, type RunResult, run } from '../../../activities/process/run.ts';
import { addRepository } from '../../../activities/review/git/repository.ts';
import type { Actor } from '../../../pipelines/model/actor.ts';

const launcher = resolve(import.meta.dirname, '../../../sluice');

/** A person with a clone and an account: pushes go through git and the hook, as they do for real. */
export interface Desk {
  readonly directory: string;
  git(...args: string[]): Promise<string>;
  /** Runs git whatever comes of it. */
  tryGit(...args: string[]): Promise<RunResult>;
  /** Commits one file; `changeId` null leaves the footer out. */
  commit(path: string, content: string, message: string): Promise<string>;
  push(target: string, ...options: string[]): Promise<RunResult>;
}

/** Makes the bare repository of a project below `data/git`, with one commit on `master`. */
export async function gatedProject(data: string, project: string, directPush = false): Promise<string> {
  const request = { root: join(data, 'git'), project, connection: 'git', url: null, launcher, page: '', directPush };
  const { path } = await addRepository(request);
  const desk = await openDesk(join(data, `seed-${project.replaceAll('/', '-')}`), path);
  await desk.git('checkout', '-q', '-b', 'master');
  await desk.commit('start', `${project}\n`, 'Start\n');
  await desk.git('push', '-q', 'origin', 'HEAD:refs/heads/master');
  return path;
}

export async function openDesk(directory: string, remote: string, name = 'Ada'): Promise<Desk> {
  const email = `${name.toLowerCase()}@example.org`;
  const env = {
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...overSsh(name),
    ...{ GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email },
  };
  await must('git', ['clone', '-q', `file://${remote}`, directory], { env });
  const git = async (...args: string[]) => (await must('git', args, { cwd: directory, env })).stdout.trim();
  const tryGit = (...args: string[]) => run('git', args, { cwd: directory, env });
  return {
    directory,
    git,
    tryGit,
    async commit(path, content, message) {
      await writeFile(join(directory, path), content);
      await git('add', '--', path);
      await git('commit', '-q', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
    push: (target, ...options) => tryGit('push', ...options, 'origin', `HEAD:${target}`),
  };
}

/** The environment that sshd and its forced command give to who pushes with a key of an account. */
export function overSsh(account: string) {
  return { SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 22', SLUICE_USER: account };
}

export function account(name: string): Actor {
  return { name, kind: 'person', via: 'ssh' };
}

/** A Change-Id made of a word. */
export function idFor(word: string): string {
  return `I${createHash('sha1').update(word).digest('hex')}`;
}

/** A message with the footer that names the change. */
export function messageFor(word: string, more = ''): string {
  return `Work on ${word}\n\n${more}Change-Id: ${idFor(word)}\n`;
}
