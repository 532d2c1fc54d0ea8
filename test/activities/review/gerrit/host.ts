import type { TestContext } from 'node:test';
import { must } from '../../../../activities/process/run.ts';
import type { ReviewHost } from '../../../../activities/review/port.ts';
import { done } from '../../../../infra/gerrit/account.ts';
import { makeCommit } from '../../git/repository.ts';
import type { ReviewWorld } from '../contract.ts';
import { messageFor } from '../developer.ts';
import { type Desk, openDesk } from './desk.ts';
import { bot, connect, type SharedGerrit } from './world.ts';

let worlds = 0;

/** Projects of its own for each test, below a folder, that require nothing for a merge. */
export async function openWorld(t: TestContext, gerrit: SharedGerrit): Promise<ReviewWorld> {
  worlds += 1;
  const folder = `contract${worlds}`;
  const full = (project: string) => `${folder}/${project}`;
  const desks = new Map<string, Desk>();
  for (const project of ['alpha', 'beta']) desks.set(project, await openDesk(t, gerrit, { project: full(project) }));
  const { host, git } = await connect(t, gerrit, { owns: (project) => project.startsWith(`${folder}/`) });
  return { host, git, ...developers(gerrit, { host, desks, folder }), words: wordsOf(host, full) };
}

function wordsOf(host: ReviewHost, full: (project: string) => string): NonNullable<ReviewWorld['words']> {
  return {
    project: full,
    // What Sluice itself has said is a report.
    event: ({ type }) => (type === 'report' ? 'comment-added' : type),
    refEvents: true,
    approved: 'Approved',
    verdict: { own: 'Verified', body: (value) => ({ Verified: value }) },
    verdicts: async (change) => ((await host.readChange(change))?.votes ?? []).map(({ value }) => value),
    account: bot.name,
  };
}

interface Place {
  readonly host: ReviewHost;
  readonly desks: ReadonlyMap<string, Desk>;
  readonly folder: string;
}

function developers(
  { rest }: SharedGerrit,
  { host, desks, folder }: Place,
): Omit<ReviewWorld, 'host' | 'git' | 'words'> {
  const words = new Map<string, string>();
  const at = (project: string) => desks.get(project) as Desk;
  const post = (change: string, path: string, body: object) =>
    done(rest('POST', `/changes/${change.slice('review:'.length)}/${path}`, body)).then(() => {});
  return {
    async push({ project, file, content, amend, onTopOf, needs = [] }) {
      const on = onTopOf === undefined ? {} : { on: (await host.readChange(onTopOf))?.ref ?? '' };
      const word = (amend === undefined ? undefined : words.get(amend)) ?? `word ${words.size} ${folder}`;
      const message = messageFor(word, needs.map((name) => `Depends-On: ${name}\n`).join(''));
      const { number } = await at(project).propose({ files: { [file]: content }, message, ...on });
      words.set(`review:${number}`, word);
      return `review:${number}`;
    },
    vote: (change, label, value) => post(change, 'revisions/current/review', { labels: { [label]: value } }),
    abandon: (change) => post(change, 'abandon', {}),
    restore: (change) => post(change, 'restore', {}),
    nameOf: ({ url }) => url ?? '',
    async moveBranch(project) {
      const { repo, fetch, push } = at(project);
      const parents = [await fetch('refs/heads/master')];
      await push(`${await makeCommit(repo, { parents, files: { moved: '1' } })}:refs/heads/master`);
    },
    async tag(project, name) {
      const { repo, push } = at(project);
      const tagger = ['-c', 'user.name=Administrator', '-c', 'user.email=admin@example.com'];
      await must('git', [`--git-dir=${repo}`, ...tagger, 'tag', '--annotate', '--message', name, name, 'master']);
      await push(`refs/tags/${name}`);
    },
  };
}
