import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openCache } from '../../../../activities/git/cache.ts';
import { git, tryGit } from '../../../../activities/git/git.ts';
import { readBranch } from '../../../../activities/git/refs.ts';
import type { Connection } from '../../../../activities/review/connection.ts';
import { openPlain } from '../../../../activities/review/plain/adapter.ts';
import { openPlainRemote, type UrlSettings } from '../../../../activities/review/plain/remote.ts';
import { readSecret } from '../../../../activities/review/secret.ts';
import type { Change } from '../../../../pipelines/model/change.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../../git/repository.ts';
import type { ReviewWorld } from '../contract.ts';

/** Somebody else's repositories, and a connection to them. */
export interface PlainWorld extends ReviewWorld {
  readonly connection: Connection;
  /** Where the host has a project. */
  readonly repo: (project: string) => string;
  /** Adds to a note of somebody on what a proposal is at. */
  readonly say: (change: string, text: string, by?: string) => Promise<void>;
  /** The connection as a process has it that begins anew. */
  readonly reopen: () => Connection;
}

const person = {
  ...{ GIT_AUTHOR_NAME: 'Bob', GIT_AUTHOR_EMAIL: 'bob@example.org' },
  ...{ GIT_COMMITTER_NAME: 'Bob', GIT_COMMITTER_EMAIL: 'bob@example.org' },
};

export interface WorldOptions {
  /** What the host is reached by; default: its directory. */
  readonly serve?: (root: string) => Promise<string>;
  readonly settings?: Partial<UrlSettings>;
}

export async function openPlainWorld(t: TestContext, options: WorldOptions = {}): Promise<PlainWorld> {
  const directory = await scratch(t);
  const root = join(directory, 'host');
  const repo = (project: string) => join(root, `${project}.git`);
  for (const project of ['alpha', 'beta']) {
    await bareRepository(root, project);
    await setBranch(repo(project), 'master', await makeCommit(repo(project), { files: { start: project } }));
    await git(repo(project), ['config', 'http.receivepack', 'true']);
  }
  const url = (await options.serve?.(root)) ?? root;
  const settings: UrlSettings = { driver: 'git', url, ...options.settings };
  const openGit = () =>
    openCache({
      directory: join(directory, 'cache'),
      remote: (project) => openPlainRemote(settings, readSecret, project),
    });
  const reopen = () =>
    openPlain({
      ...{ name: 'plain', repositories: join(directory, 'data/git'), page: '', owns: () => true },
      ...{ projects: () => ['alpha', 'beta'], settings, readSecret },
      git: openGit(),
    });
  const connection = reopen();
  return { connection, git: openGit(), reopen, repo, ...deeds(connection, repo) };
}

function deeds({ host }: Connection, repo: PlainWorld['repo']): Omit<ReviewWorld, 'git'> & Pick<PlainWorld, 'say'> {
  let pushed = 0;
  const say: PlainWorld['say'] = async (change, text, by = 'bob') => {
    const { project = '', topic = '' } = place(change);
    const commit = (await readBranch(repo(project), `proposed/${topic}`)) ?? '';
    const options = ['notes', `--ref=refs/notes/votes/${by}`, 'append', '-m', text, commit];
    await git(repo(project), options, { env: person });
  };
  const branchOf = (change: string) => `refs/heads/proposed/${place(change).topic}`;
  const gone = new Map<string, string>();
  return {
    host,
    words: {
      project: (name) => name,
      event: ({ type }) => (type === 'report' ? 'comment-added' : type),
      refEvents: false,
      unprotected: true,
      approved: 'Approved',
      verdict: { own: 'Verified', body: (value) => ({ Verified: value }) },
      verdicts: async (change) =>
        ((await host.readChange(change)) as Change).votes.filter(({ by }) => by === 'sluice').map(({ value }) => value),
      account: 'sluice',
    },
    async push({ project, file, content, amend, onTopOf, needs = [] }) {
      pushed += 1;
      // What was replaced before anybody looked was no patch set.
      if (amend !== undefined) await host.readChange(amend);
      const topic = amend === undefined ? `topic-${pushed}` : place(amend).topic;
      const below = onTopOf === undefined ? 'master' : `proposed/${place(onTopOf).topic}`;
      const parent = (await readBranch(repo(project), below)) ?? '';
      const message = `Write ${file}\n\n${needs.map((name) => `Depends-On: ${name}\n`).join('')}`;
      const commit = await makeCommit(repo(project), { parents: [parent], files: { [file]: content }, message });
      await setBranch(repo(project), `proposed/${topic}`, commit);
      return `plain:${project}@${topic}`;
    },
    vote: (change, label, value) => say(change, `${label}: ${value > 0 ? '+' : ''}${value}`),
    say,
    async abandon(change) {
      const { project } = place(change);
      gone.set(change, (await git(repo(project), ['rev-parse', branchOf(change)])).trim());
      // People see to it that a change was seen before they take it back.
      await host.readChange(change);
      await tryGit(repo(project), ['update-ref', '-d', branchOf(change)]);
    },
    async restore(change) {
      await host.readChange(change);
      await git(repo(place(change).project), ['update-ref', branchOf(change), gone.get(change) ?? '']);
    },
    nameOf: ({ id }) => id,
    async moveBranch(project) {
      const tip = (await readBranch(repo(project), 'master')) ?? '';
      await setBranch(
        repo(project),
        'master',
        await makeCommit(repo(project), { parents: [tip], files: { moved: '1' } }),
      );
    },
    async tag(project, name) {
      const tagger = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
      await git(repo(project), [...tagger, 'tag', '--annotate', '--message', name, name, 'master']);
    },
  };
}

/** `plain:PROJECT@TOPIC`, taken apart. */
export function place(change: string): { readonly project: string; readonly topic: string } {
  const [project = '', topic = ''] = change.replace('plain:', '').split('@');
  return { project, topic };
}
