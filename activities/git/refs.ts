import { rm, stat } from 'node:fs/promises';
import { relative } from 'node:path';
import { tryGit } from './git.ts';
import { checkBranch, checkRevision, isObjectId } from './names.ts';
import { readRefFiles } from './ref-files.ts';
import { writeRefs } from './ref-writer.ts';

/** One ref of a transaction. `from` is what it must be now, `to` what it becomes; null stands for "not there". */
export interface RefUpdate {
  readonly ref: string;
  readonly from: string | null;
  readonly to: string | null;
}

/**
 * Moves refs, all or none. Nothing is moved until git has locked and compared every one of them, and a caller that
 * is killed in between has not asked for the commit.
 *
 * @returns false when a ref was not what it was expected to be, or somebody else is moving it.
 */
export async function updateRefs(repo: string, updates: readonly RefUpdate[]): Promise<boolean> {
  const result = await writeRefs(repo, updates.map(updateLine));
  if (result.code === 0) return true;
  await removeStaleLock(repo, result.stderr);
  if (/cannot lock ref|Unable to create .*\.lock|unable to lock/i.test(result.stderr)) return false;
  throw new Error(`git update-ref failed in ${repo}: ${result.stderr.trim()}`);
}

/** Git holds a lock for moments; after this many milliseconds its process was killed, or the power went out. */
const lockAge = 60_000;

async function removeStaleLock(repo: string, stderr: string): Promise<void> {
  const path = /Unable to create '(.+\.lock)': File exists/.exec(stderr)?.[1];
  if (path === undefined || relative(repo, path).startsWith('..')) return;
  const age = await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age > lockAge) await rm(path, { force: true });
}

function updateLine({ ref, from, to }: RefUpdate): string {
  checkRevision(ref);
  if (to === null) return from === null ? `verify ${ref}` : `delete ${ref} ${from}`;
  return from === null ? `create ${ref} ${to}` : `update ${ref} ${to} ${from}`;
}

/** Refs below the given prefixes (whole path components) with the objects that they name, in order of name. */
export function readRefs(repo: string, ...prefixes: readonly string[]): Promise<Map<string, string>> {
  return readRefFiles(repo, prefixes);
}

/** Branches and the commits that they are at. */
export async function readBranches(repo: string): Promise<Map<string, string>> {
  const heads = await readRefs(repo, 'refs/heads/');
  return new Map([...heads].map(([ref, commit]) => [ref.slice('refs/heads/'.length), commit]));
}

/** Tags and the commits that they stand for; one of anything else is left out. */
export async function readTags(repo: string): Promise<Map<string, string>> {
  if ((await readRefs(repo, 'refs/tags/')).size === 0) return new Map();
  const format = '--format=%(refname) %(objecttype) %(objectname) %(*objecttype) %(*objectname)';
  const { code, stdout, stderr } = await tryGit(repo, ['for-each-ref', format, 'refs/tags/']);
  if (code !== 0) throw new Error(`git cannot list the tags of ${repo}: ${stderr.trim()}`);
  const tags = stdout.matchAll(/^refs\/tags\/(\S+) (?:commit (\S+)|tag \S+ commit (\S+))/gm);
  return new Map([...tags].map(([, name = '', commit, peeled]) => [name, commit ?? peeled ?? '']));
}

/** What a branch is at; null when there is no such branch. */
export async function readBranch(repo: string, branch: string): Promise<string | null> {
  const ref = `refs/heads/${checkBranch(branch)}`;
  return (await readRefs(repo, ref)).get(ref) ?? null;
}

/** By repository and commit: whether it has others behind it. That never changes. */
const ancestry = new Map<string, Map<string, boolean>>();
const mostKnown = 10_000;

export async function isAncestor(repo: string, older: string, newer: string): Promise<boolean> {
  const known = knownOf(repo, older, newer);
  if (known !== undefined) return known;
  const result = await tryGit(repo, ['merge-base', '--is-ancestor', checkRevision(older), checkRevision(newer)]);
  if (result.code > 1) throw new Error(`git cannot compare ${older} and ${newer}: ${result.stderr.trim()}`);
  knowAncestor(repo, { older, newer, is: result.code === 0 });
  return result.code === 0;
}

/** What follows from all that is known: in a queue, each state stands on the one before. */
function knownOf(repo: string, older: string, newer: string): boolean | undefined {
  const behind = new Set([newer]);
  for (const commit of behind) {
    for (const [other, is] of ancestry.get(placeOf(repo, commit)) ?? []) {
      if (other === older && (is || commit === newer)) return is;
      if (is) behind.add(other);
    }
  }
  return undefined;
}

interface Ancestry {
  readonly older: string;
  readonly newer: string;
  readonly is: boolean;
}

/** Spares a question to git about commits of which this process knows. Names of refs are not kept: they move. */
export function knowAncestor(repo: string, { older, newer, is }: Ancestry): void {
  if (!isObjectId(older) || !isObjectId(newer)) return;
  if (ancestry.size >= mostKnown) ancestry.clear();
  const place = placeOf(repo, newer);
  const known = ancestry.get(place) ?? new Map<string, boolean>();
  ancestry.set(place, known.set(older, is));
}

function placeOf(repo: string, commit: string): string {
  return `${repo} ${commit}`;
}

/** The newest commit that both contain; null where they have nothing in common. */
export async function mergeBase(repo: string, one: string, other: string): Promise<string | null> {
  return (await inCommon(repo, one, [other]))[0] ?? null;
}

/** The newest commits that one contains, and any of the others too. */
export async function inCommon(repo: string, one: string, others: readonly string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await tryGit(repo, ['merge-base', '--all', ...[one, ...others].map(checkRevision)]);
  if (code > 1) throw new Error(`git cannot compare ${one} and ${others.join(', ')}: ${stderr.trim()}`);
  return stdout.split('\n').filter((line) => line !== '');
}

export type SubmitOutcome =
  | { readonly kind: 'merged' }
  | { readonly kind: 'already-merged' }
  | { readonly kind: 'moved'; readonly tip: string | null };

/**
 * Moves a branch from what it is expected to be at to `commit`: compare and swap.
 *
 * @param more refs that move with it, or not at all
 */
export async function submit(
  repo: string,
  { branch, expected, commit }: { branch: string; expected: string | null; commit: string },
  more: readonly RefUpdate[] = [],
): Promise<SubmitOutcome> {
  const ref = `refs/heads/${checkBranch(branch)}`;
  if (await updateRefs(repo, [{ ref, from: expected, to: commit }, ...more])) return { kind: 'merged' };
  const tip = await readBranch(repo, branch);
  if (tip !== null && (await isAncestor(repo, commit, tip))) return { kind: 'already-merged' };
  return { kind: 'moved', tip };
}

/** Whether a commit is in a repository, whatever leads to it. */
export async function hasCommit(repo: string, commit: string): Promise<boolean> {
  return (await tryGit(repo, ['cat-file', '-e', `${commit}^{commit}`])).code === 0;
}
