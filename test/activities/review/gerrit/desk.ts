import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { must } from '../../../../activities/process/run.ts';
import { adminUrl, done } from '../../../../infra/gerrit/account.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../../git/repository.ts';
import type { SharedGerrit } from './world.ts';

/** Developers of one project of a real Gerrit; the project is made for them. */
export interface Desk {
  readonly project: string;
  /** Their repository, bare. */
  readonly repo: string;
  /** Fetches a ref; answers with its commit. */
  fetch(ref: string): Promise<string>;
  /** Pushes `COMMIT:REF`, with `git push` options before. */
  push(refspec: string, ...options: string[]): Promise<void>;
  /** Makes a commit on a ref of the host (default: `refs/heads/master`), and pushes it for review. */
  propose(commit: {
    readonly files: Readonly<Record<string, string | null>>;
    readonly message: string;
    readonly on?: string;
    readonly target?: string;
  }): Promise<{ readonly number: number; readonly commit: string }>;
}

/** @param options.parent whose rights and requirements it has; `open` requires nothing */
export async function openDesk(
  t: TestContext,
  gerrit: SharedGerrit,
  { project, parent = 'open' }: { readonly project: string; readonly parent?: string },
): Promise<Desk> {
  const { rest, site } = gerrit;
  await done(rest('PUT', `/projects/${encodeURIComponent(project)}`, { parent }));
  const repo = await bareRepository(join(await scratch(t), 'git'), project);
  const git = async (...args: string[]) => (await must('git', [`--git-dir=${repo}`, ...args])).stdout.trim();
  const url = adminUrl(site, project);
  const desk: Desk = {
    project,
    repo,
    async fetch(ref) {
      await git('fetch', '--quiet', url, `+${ref}:refs/heads/fetched`);
      return git('rev-parse', 'refs/heads/fetched');
    },
    async push(refspec, ...options) {
      await git('push', '--quiet', ...options, url, refspec);
    },
    async propose({ files, message, on = 'refs/heads/master', target = 'refs/for/master' }) {
      const parents = [await desk.fetch(on)];
      const commit = await makeCommit(repo, { parents, files, message });
      await desk.push(`${commit}:${target}`);
      const found = (await done(rest('GET', `/changes/?q=commit:${commit}`))) as { _number: number }[];
      if (found.length !== 1) throw new Error(`${found.length} changes have the commit ${commit}`);
      return { number: found[0]?._number ?? 0, commit };
    },
  };
  await setBranch(repo, 'master', await makeCommit(repo, { files: { start: `${project}\n` } }));
  await desk.push('master:refs/heads/master');
  return desk;
}
