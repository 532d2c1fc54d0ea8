import { randomUUID } from 'node:crypto';
import { exists } from '../../files/exists.ts';
import { askHost, type GitSource, saysAbsent } from '../../git/fetch.ts';
import { git, tryGit } from '../../git/git.ts';
import { isObjectId, repositoryPath } from '../../git/names.ts';
import type { GitRemote } from '../../git/remote.ts';
import { makeWhole } from '../../git/whole.ts';
import { HostRefusal } from '../http.ts';
import { type HostRefs, notesPrefix, parseRefs, wantedRefs } from './schema.ts';

export interface ClientSettings {
  readonly connection: string;
  /** Of repositories that hold nothing but Sluice's own notes: git asks a host from within one. */
  readonly directory: string;
  readonly remote: (project: string) => GitRemote;
}

/** A note to write. `edit` is given what is there; null leaves it. */
interface NoteEdit {
  readonly project: string;
  readonly commit: string;
  readonly by: string;
  readonly edit: (text: string) => string | null;
}

/** The host has no project by that name, or does not show it to us. */
export class NoProject extends Error {
  constructor(message: string, options: ErrorOptions) {
    super(message, options);
    this.name = 'NoProject';
  }
}

/** What is asked of a host of repositories. All of it throws HostAway, and an error where the host refuses. */
export interface Client {
  /** @throws NoProject */
  list(project: string): Promise<HostRefs>;
  /** @throws HostRefusal where the host does not take it */
  note(edit: NoteEdit): Promise<void>;
  /** Whether the host would take a note, as far as it says so before it is given one. @throws HostRefusal */
  tryNote(project: string, by: string): Promise<void>;
}

/** Somebody else may write at the same time. */
const attempts = 5;

export function openClient({ connection, directory, remote }: ClientSettings): Client {
  const made = new Map<string, Promise<string>>();
  const repoOf = (project: string) => {
    const known = made.get(project) ?? makeRepository(repositoryPath(directory, project));
    made.set(project, known);
    known.catch(() => made.delete(project));
    return known;
  };
  const source = (project: string) => ({ host: connection, project, remote: remote(project) });
  const list = async (project: string) => {
    const { url } = remote(project);
    const args = ['ls-remote', '--quiet', '--symref', '--end-of-options', url, ...wantedRefs];
    const answer = await askHost(await repoOf(project), source(project), { args }).catch(demandProject);
    return parseRefs(answer.stdout);
  };
  const push = async (project: string, options: readonly string[]) => {
    const args = ['push', '--porcelain', '--no-verify', ...options];
    return askHost(await repoOf(project), source(project), { args, codes: [0, 1] });
  };
  return {
    list,
    async note(edit) {
      const { project, by } = edit;
      const ref = `${notesPrefix}${by}`;
      const { url } = remote(project);
      for (let n = 1; ; n += 1) {
        const repo = await repoOf(project);
        const old = (await list(project)).notes.get(by) ?? '';
        // Others of us may write in the same repository at the same time.
        const here = `refs/notes/${randomUUID()}`;
        if (old !== '') await fetchNotes(repo, { ...source(project), refspec: `+${ref}:${here}` });
        const written = await writeNote(repo, here, edit);
        const args = [`--force-with-lease=${ref}:${old}`, url, `${here}:${ref}`];
        const answer = written ? await push(project, args) : { code: 0, stdout: '' };
        await git(repo, ['update-ref', '-d', here]);
        const { code, stdout } = answer;
        if (code === 0) return;
        const reason = reasonIn(stdout);
        if (n >= attempts || !/stale info|fetch first|non-fast-forward|lock|failed to update/i.test(reason))
          throw new HostRefusal(`${connection} does not take notes (${ref}) of ${project}: ${reason}`, 0);
      }
    },
    async tryNote(project, by) {
      const repo = await repoOf(project);
      const tree = (await git(repo, ['mktree'])).trim();
      const commit = (await git(repo, ['commit-tree', tree, '-m', 'try'], { env: identity })).trim();
      const ref = `${notesPrefix}${by}`;
      const { code, stdout } = await push(project, ['--dry-run', '--force', remote(project).url, `${commit}:${ref}`]);
      if (code !== 0) throw new HostRefusal(`${ref} cannot be pushed to ${project}: ${reasonIn(stdout)}`, 0);
    },
  };
}

const identity = {
  ...{ GIT_AUTHOR_NAME: 'Sluice', GIT_AUTHOR_EMAIL: 'sluice@localhost' },
  ...{ GIT_COMMITTER_NAME: 'Sluice', GIT_COMMITTER_EMAIL: 'sluice@localhost' },
};

async function makeRepository(repo: string): Promise<string> {
  if (!(await exists(repo))) await makeWhole(repo);
  return repo;
}

function demandProject(error: Error): never {
  throw saysAbsent(error) ? new NoProject(error.message, { cause: error }) : error;
}

async function fetchNotes(repo: string, source: GitSource & { readonly refspec: string }) {
  const { refspec, remote } = source;
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--end-of-options'];
  await askHost(repo, source, { args: ['fetch', ...options, remote.url, refspec] });
}

/** @returns false where there is nothing to write */
async function writeNote(repo: string, ref: string, { commit, edit }: NoteEdit): Promise<boolean> {
  if (!isObjectId(commit)) throw new Error(`not a commit id: ${commit}`);
  const { code, stdout } = await tryGit(repo, ['notes', `--ref=${ref}`, 'show', commit]);
  const text = edit(code === 0 ? stdout : '');
  if (text === null) return false;
  const blob = (await git(repo, ['hash-object', '-w', '--stdin'], { input: text })).trim();
  await git(repo, ['notes', `--ref=${ref}`, 'add', '--force', '-C', blob, commit], { env: identity });
  return true;
}

function reasonIn(stdout: string): string {
  const reason = /^!\t[^\t]*\t(.*)$/m.exec(stdout)?.[1] ?? 'it does not say why';
  return reason.replace(/\p{Cc}/gu, ' ').slice(0, 300);
}
