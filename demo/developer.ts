import { createHash } from 'node:crypto';
import { cp, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { must, run } from '../activities/process/run.ts';
import type { Change } from '../pipelines/model/change.ts';
import type { DemoChange } from './changes.ts';
import { applyEdits } from './edits.ts';
import type { Forge, LineAnswer } from './forge.ts';

const author = {
  GIT_AUTHOR_NAME: 'Ada Developer',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada Developer',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
};

/** What a developer does at her own desk: clones, edits, commits, pushes. */
export interface Developer {
  /** Makes a repository with one commit out of an unpacked source tree; answers with its directory. */
  importSource(name: string, source: string): Promise<string>;
  /** Commits the change on top of the project's branch, in a clone of its own, whose directory is the answer. */
  commit(change: DemoChange): Promise<string>;
  /** Commits the change and pushes it for review; answers with its Change-Id. */
  push(change: DemoChange): Promise<string>;
  /** Pushes what was committed in that clone. */
  send(tree: string): Promise<void>;
  /** Waits for an answer to a change that matches, as everybody reads it there. */
  answer(change: Change, expected: RegExp): Promise<string>;
  /** Waits for such a comment on a line of a change; null where the forge has none. */
  remark(change: Change, expected: (comment: LineAnswer) => boolean): Promise<LineAnswer | null>;
}

/**
 * @param desk directory for work trees
 * @param forge where she pushes to
 * @param said receives each line that the server says to a push
 */
export function createDeveloper(desk: string, forge: Forge, said: (line: string) => void): Developer {
  const git = (cwd: string, ...args: string[]) => must('git', args, { cwd, env: author });
  return {
    async importSource(name, source) {
      const tree = join(desk, 'upstream', name);
      await rm(tree, { recursive: true, force: true });
      await mkdir(tree, { recursive: true });
      await cp(source, tree, { recursive: true });
      await git(tree, 'init', '-q', '-b', 'master');
      await git(tree, 'add', '--all', '--force');
      await git(tree, 'commit', '-q', '-m', `Import ${name}`);
      return tree;
    },
    commit,
    send,
    async answer(change, expected) {
      const found = () => forge.answers(change).then((all) => all.find((comment) => expected.test(comment)));
      return awaited(change, found);
    },
    async remark(change, expected) {
      if ((await forge.lineComments(change)) === null) return null;
      return awaited(change, () => forge.lineComments(change).then((all) => all?.find(expected)));
    },
    async push(change) {
      await send(await commit(change));
      return changeId(change.id);
    },
  };

  async function commit(change: DemoChange): Promise<string> {
    const tree = join(desk, change.id);
    await rm(tree, { recursive: true, force: true });
    await mkdir(desk, { recursive: true });
    await git(desk, 'clone', '-q', forge.remote(change.project), tree);
    await applyEdits(tree, change.edits);
    await git(tree, 'add', '--all', '--force');
    await git(tree, 'commit', '-q', '-m', await message(forge, change));
    return tree;
  }

  async function send(tree: string): Promise<void> {
    const pushed = await run('git', ['push', 'origin', 'HEAD:refs/for/master'], { cwd: tree, env: author });
    const lines = pushed.stderr.split('\n').flatMap((line) => /^remote: *(\S.*?) *$/.exec(line)?.[1] ?? []);
    // Gerrit's word for a push that went well, on a line of its own.
    for (const line of lines.filter((each) => each !== 'SUCCESS')) said(line);
    if (pushed.code !== 0) throw new Error(`git push of ${basename(tree)} failed: ${pushed.stderr.trim()}`);
  }
}

/** How long an answer may take; milliseconds. */
const patience = 300_000;

/** The answer comes after the verdict: the host is told last. */
async function awaited<T>({ key }: Change, find: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + patience; Date.now() < end; await pause(500)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new Error(`nobody answers ${key} within ${patience / 1000} seconds`);
}

/** The Change-Id that a commit-msg hook would have made; the same in every run, so that the story can name it. */
export function changeId(id: string): string {
  return `I${createHash('sha1').update(`sluice demo ${id}`).digest('hex')}`;
}

async function message(forge: Forge, change: DemoChange): Promise<string> {
  const names = (change.needs ?? []).map(({ project, id }) => forge.nameOf(project, changeId(id)));
  const needs = (await Promise.all(names)).map((name) => `Depends-On: ${name}`);
  return [change.subject, '', change.body, '', ...needs, `Change-Id: ${changeId(change.id)}`, ''].join('\n');
}
