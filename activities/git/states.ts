import { createHash } from 'node:crypto';
import { git, tryGit } from './git.ts';
import { writeRefs } from './ref-writer.ts';
import { readRefs } from './refs.ts';

const prefix = 'refs/sluice/states/';

/** Days that a speculative commit is kept at least. */
const keptDays = 7;
const day = 24 * 60 * 60 * 1000;

/** The ref that keeps a commit for some days. @param time milliseconds since the epoch */
export function stateRef(commit: string, time: number): string {
  return `${prefix}${new Date(time).toISOString().slice(0, 10)}/${commit}`;
}

/** Keeps speculative commits from `git gc` for some days. Keeping one twice is harmless. */
export async function keepStates(repo: string, commits: readonly string[], now = Date.now()): Promise<void> {
  await keep(
    repo,
    commits.map((commit) => [stateRef(commit, now), commit]),
  );
}

/** Keeps a commit as {@link keepStates} does, and remembers that `source` has it. */
export async function keepFrom(repo: string, source: string, commit: string, now = Date.now()): Promise<void> {
  const names = [commit, originPath(source, commit)];
  await keep(
    repo,
    names.map((name) => [stateRef(name, now), commit]),
  );
}

async function keep(repo: string, refs: readonly (readonly [ref: string, commit: string])[]): Promise<void> {
  const { code, stderr } = await writeRefs(
    repo,
    refs.map(([ref, commit]) => `update ${ref} ${commit}`),
  );
  if (code !== 0) throw new Error(`git keeps no states in ${repo}: ${stderr.trim()}`);
}

/** Whether a commit is kept of which `source` was seen to have it. */
export async function isKeptFrom(repo: string, source: string, commit: string): Promise<boolean> {
  return (await git(repo, ['for-each-ref', '--count=1', `${prefix}*/${originPath(source, commit)}`])) !== '';
}

function originPath(source: string, commit: string): string {
  return `from/${createHash('sha256').update(source).digest('hex')}/${commit}`;
}

/**
 * Lets go of the speculative commits that nobody works on any more.
 *
 * @param options.now milliseconds since the epoch
 * @param options.dryRun count only
 * @returns how many there were.
 */
export async function expireStates(
  repo: string,
  { now, dryRun = false }: { readonly now: number; readonly dryRun?: boolean },
): Promise<number> {
  const oldest = new Date(now - keptDays * day).toISOString().slice(0, 10);
  const kept = await readRefs(repo, prefix);
  const expired = [...kept.keys()].filter((ref) => ref.slice(prefix.length) < oldest);
  if (dryRun || expired.length === 0) return expired.length;
  const result = await tryGit(repo, ['update-ref', '--stdin'], {
    input: expired.map((ref) => `delete ${ref}\n`).join(''),
  });
  return result.code === 0 ? expired.length : 0;
}
