import { chmod, copyFile, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { git, tryGit } from '../../git/git.ts';
import { repositoryPath, show } from '../../git/names.ts';
import { readBranches } from '../../git/refs.ts';
import { must } from '../../process/run.ts';
import { commitMsgRef, emptyTreeRef, votesRef } from './refs.ts';

/** A repository to put under the gate. */
export interface RepositoryRequest {
  /** Directory of the bare repositories. */
  readonly root: string;
  readonly project: string;
  readonly connection: string;
  /** Where branches and tags come from, once: a directory or a Git URL; null for an empty repository. */
  readonly url: string | null;
  /** Absolute path of the program that the hooks run. */
  readonly launcher: string;
  /** Where people look at changes while no server says otherwise; may be empty. */
  readonly page: string;
  readonly directPush: boolean;
}

export interface AddedRepository {
  readonly path: string;
  /** False when it was there before: then only hooks and settings are renewed. */
  readonly created: boolean;
  readonly branches: readonly string[];
  readonly defaultBranch: string | null;
}

const hooks = join(import.meta.dirname, 'hooks');

/** Makes the bare repository of a project, imports what `url` has, and installs the hooks. Repeating it renews them. */
export async function addRepository(request: RepositoryRequest): Promise<AddedRepository> {
  const path = repositoryPath(request.root, request.project);
  const created = !(await exists(path));
  if (created) {
    const fresh = `${path}.${process.pid}`;
    try {
      await make(fresh, request);
      await rename(fresh, path);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  } else {
    await install(path, request);
  }
  const branches = [...(await readBranches(path)).keys()];
  const head = (await git(path, ['symbolic-ref', '--short', 'HEAD'])).trim();
  return { path, created, branches, defaultBranch: branches.includes(head) ? head : (branches[0] ?? null) };
}

async function make(path: string, request: RepositoryRequest): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await git(path, ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', path]);
  await install(path, request);
  if (request.url !== null) await importFrom(path, request.url);
}

async function importFrom(path: string, url: string): Promise<void> {
  if (url.startsWith('-') || /[\0\n]/.test(url)) throw new Error(`${show(url)} is not a Git URL`);
  // Unlike everywhere else, the user's own Git configuration counts: it may hold the way to the URL.
  const fetch = (args: readonly string[]) =>
    must('git', [`--git-dir=${path}`, ...args], { env: { GIT_TERMINAL_PROMPT: '0', ...agent() } });
  await fetch([
    'fetch',
    '--quiet',
    '--no-write-fetch-head',
    url,
    '+refs/heads/*:refs/heads/*',
    '+refs/tags/*:refs/tags/*',
  ]);
  const advertised = await fetch(['ls-remote', '--symref', url, 'HEAD']);
  const head = /^ref: (refs\/heads\/\S+)\tHEAD$/m.exec(advertised.stdout)?.[1];
  const branches = [...(await readBranches(path)).keys()].map((branch) => `refs/heads/${branch}`);
  const chosen = head !== undefined && branches.includes(head) ? head : branches[0];
  if (chosen === undefined) throw new Error(`${url} has no branch to import: commit something there first`);
  await git(path, ['symbolic-ref', 'HEAD', chosen]);
}

function agent(): Record<string, string> {
  const { SSH_AUTH_SOCK: socket } = process.env;
  return socket === undefined ? {} : { SSH_AUTH_SOCK: socket };
}

async function install(path: string, request: RepositoryRequest): Promise<void> {
  await mkdir(join(path, 'hooks'), { recursive: true });
  for (const name of ['proc-receive', 'update']) {
    const hook = join(path, 'hooks', name);
    await copyFile(join(hooks, name), `${hook}.new`);
    await chmod(`${hook}.new`, 0o755);
    await rename(`${hook}.new`, hook);
  }
  for (const [key, values] of settings(request)) await configure(path, key, values);
  const input = await readFile(join(hooks, 'commit-msg'));
  const blob = (await git(path, ['hash-object', '-w', '--stdin'], { input })).trim();
  await git(path, ['update-ref', commitMsgRef, blob]);
  // The tree of every commit that tells what happened to a change; the ref keeps it.
  const tree = (await git(path, ['mktree'])).trim();
  await git(path, ['update-ref', emptyTreeRef, tree]);
}

function settings(request: RepositoryRequest): [key: string, values: readonly string[]][] {
  return [
    ['receive.procReceiveRefs', ['refs/for', votesRef]],
    ['receive.advertisePushOptions', ['true']],
    ['receive.fsckObjects', ['true']],
    ['receive.denyNonFastForwards', ['true']],
    ['transfer.hideRefs', ['refs/sluice']],
    ['sluice.project', [request.project]],
    ['sluice.connection', [request.connection]],
    ['sluice.launcher', [request.launcher]],
    ['sluice.page', [request.page]],
    ['sluice.directPush', [String(request.directPush)]],
  ];
}

async function configure(path: string, key: string, [first = '', ...more]: readonly string[]): Promise<void> {
  await git(path, ['config', '--replace-all', key, first]);
  for (const value of more) await git(path, ['config', '--add', key, value]);
}

/** What a repository's own configuration says of it; an absent key is an empty string. */
export async function readSettings(path: string): Promise<{ project: string; connection: string; page: string }> {
  const result = await tryGit(path, ['config', '-z', '--get-regexp', '^sluice\\.']);
  const entries = result.stdout.split('\0').map((entry) => entry.split('\n', 2) as [string, string?]);
  const value = (key: string) => entries.find(([name]) => name === `sluice.${key}`)?.[1] ?? '';
  return { project: value('project'), connection: value('connection'), page: value('page') };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
