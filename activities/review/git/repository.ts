import { chmod, copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from '../../files/exists.ts';
import { git, tryGit } from '../../git/git.ts';
import { checkBranch, repositoryPath, show } from '../../git/names.ts';
import { readCommits } from '../../git/objects.ts';
import { readBranches, readRefs, updateRefs } from '../../git/refs.ts';
import { run } from '../../process/run.ts';
import { importLfs } from './import-lfs.ts';
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
  /** Why the content of files in Git LFS was not imported, without its end; null where it is here, or there is none. */
  readonly lfs: string | null;
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
  const lfs = request.url === null ? null : await importLfs(path, request.url);
  const branches = [...(await readBranches(path)).keys()];
  const head = (await git(path, ['symbolic-ref', '--short', 'HEAD'])).trim();
  return { path, created, branches, defaultBranch: branches.includes(head) ? head : (branches[0] ?? null), lfs };
}

async function make(path: string, request: RepositoryRequest): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await git(path, ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', path]);
  await install(path, request);
  if (request.url !== null) await importFrom(path, request.url);
}

async function importFrom(path: string, url: string): Promise<void> {
  const refspecs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
  await asUser(path, ['fetch', '--quiet', '--no-write-fetch-head', checkUrl(url), ...refspecs]);
  const advertised = await asUser(path, ['ls-remote', '--symref', url, 'HEAD']);
  const head = /^ref: (refs\/heads\/\S+)\tHEAD$/m.exec(advertised)?.[1];
  const branches = [...(await readBranches(path)).keys()].map((branch) => `refs/heads/${branch}`);
  const chosen = head !== undefined && branches.includes(head) ? head : branches[0];
  if (chosen === undefined) throw new Error(`${url} has no branch to import: commit something there first`);
  await git(path, ['symbolic-ref', 'HEAD', chosen]);
}

/**
 * Asks another repository, with the user's own configuration, unlike everywhere else: it may hold the way to a URL.
 *
 * @throws an error that says in one line why it does not answer
 */
async function asUser(path: string, args: readonly string[], input?: string): Promise<string> {
  const { SSH_AUTH_SOCK: socket } = process.env;
  const env = { GIT_TERMINAL_PROMPT: '0', ...(socket === undefined ? {} : { SSH_AUTH_SOCK: socket }) };
  const options = { env, ...(input === undefined ? {} : { input }) };
  const { code, stdout, stderr } = await run('git', [`--git-dir=${path}`, ...args], options);
  if (code === 0) return stdout;
  const said =
    stderr.split('\n').find((line) => line.trim() !== '' && !/^warning:/i.test(line)) ?? `git ended with ${code}`;
  throw new Error(
    `${said.replace(/^fatal: /, '')}; \`git ls-remote\` with that URL must answer without asking anything`,
  );
}

function checkUrl(url: string): string {
  if (url.startsWith('-') || /[\0\n]/.test(url)) throw new Error(`${show(url)} is not a Git URL`);
  return url;
}

/** What an import brought, and what it left alone; whole names of refs. */
export interface Imported {
  readonly added: readonly string[];
  /** There already, and at something else: branches move through the gate, and tags do not move. */
  readonly kept: readonly string[];
  /** Names that cannot be branches here. */
  readonly unfit: readonly string[];
}

/** A project on the host. */
export interface Hosted {
  /** Directory of the bare repositories. */
  readonly root: string;
  readonly project: string;
}

/** @throws an error that says how a project comes there */
async function repositoryOf({ root, project }: Hosted): Promise<string> {
  const path = repositoryPath(root, project);
  if (await exists(path)) return path;
  throw new Error(`there is no repository ${path}: sluice project add ${project}`);
}

/** Paths of all files that a branch holds. */
export async function listPaths(hosted: Hosted, branch: string): Promise<readonly string[]> {
  const options = ['ls-tree', '-r', '-z', '--name-only', '--full-tree', `refs/heads/${checkBranch(branch)}`];
  return (await git(await repositoryOf(hosted), options)).split('\0').filter((path) => path !== '');
}

/** Takes over the branches and tags that a repository does not have yet. Nothing that is there moves. */
export async function importNewRefs(hosted: Hosted, url: string): Promise<Imported> {
  const path = await repositoryOf(hosted);
  const listed = await asUser(path, ['ls-remote', '--quiet', '--heads', '--tags', '--refs', checkUrl(url)]);
  const there = await readRefs(path, 'refs/heads/', 'refs/tags/');
  const added: string[] = [];
  const kept: string[] = [];
  const unfit: string[] = [];
  for (const [, id = '', ref = ''] of listed.matchAll(/^([0-9a-f]+)\t(refs\/\S+)$/gm)) {
    const known = there.get(ref);
    if (known === id) continue;
    if (known !== undefined) kept.push(ref);
    else if (ref.startsWith('refs/heads/') && !isBranch(ref.slice('refs/heads/'.length))) unfit.push(ref);
    else added.push(ref);
  }
  const refspecs = added.map((ref) => `${ref}:${ref}`);
  const options = ['fetch', '--quiet', '--no-write-fetch-head', '--no-tags', '--atomic', '--stdin', url];
  if (added.length > 0) await asUser(path, options, `${refspecs.join('\n')}\n`);
  return { added, kept, unfit };
}

function isBranch(name: string): boolean {
  try {
    return checkBranch(name) === name;
  } catch {
    return false;
  }
}

/**
 * Makes a branch.
 *
 * @param from a branch, a commit's whole id, or a full ref such as `refs/tags/v1`
 * @returns the commit that it is at
 * @throws an error that says what is wrong: there already, no such commit, no such name
 */
export async function addBranch(hosted: Hosted, branch: string, from: string): Promise<string> {
  const path = await repositoryOf(hosted);
  const branches = await readBranches(path);
  if (branches.has(checkBranch(branch))) throw new Error(`there is a branch ${branch} already`);
  const name = branches.get(from) ?? from;
  const [commit] = await readCommits(path, [name]).catch(() => []);
  if (commit === undefined) throw new Error(`there is no branch and no commit ${show(from)}: give a commit's whole id`);
  if (await updateRefs(path, [{ ref: `refs/heads/${branch}`, from: null, to: commit.id }])) return commit.id;
  throw new Error(`the branch ${branch} was made by somebody else just now, or stands in the way of another`);
}

async function install(path: string, request: RepositoryRequest): Promise<void> {
  await mkdir(join(path, 'hooks'), { recursive: true });
  for (const name of ['pre-receive', 'proc-receive', 'update']) {
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
    // Git refuses it in any case; unless it is told to, its answer explains to whoever pushes how to allow it.
    ['receive.denyDeleteCurrent', ['refuse']],
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
export async function readSettings(path: string): Promise<{
  readonly project: string;
  readonly connection: string;
  readonly page: string;
  readonly directPush: boolean;
}> {
  const result = await tryGit(path, ['config', '-z', '--get-regexp', '^sluice\\.']);
  const entries = result.stdout.split('\0').map((entry) => entry.split('\n', 2) as [string, string?]);
  const value = (key: string) => entries.find(([name]) => name === `sluice.${key}`)?.[1] ?? '';
  // Git tells names of keys in small letters.
  const directPush = value('directpush') === 'true';
  return { project: value('project'), connection: value('connection'), page: value('page'), directPush };
}

/** The project of a repository, by where it is. @throws for one that is not where its project belongs */
export async function openRepository(path: string) {
  const settings = await readSettings(path);
  const { project } = settings;
  const root = path.slice(0, -`/${project}.git`.length);
  if (project !== '' && repositoryPath(root, project) === path) return { ...settings, root };
  throw new Error(`${path} is not where project ${project} belongs: run sluice project add again`);
}
