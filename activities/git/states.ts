import { createHash } from 'node:crypto';
import { git, tryGit } from './git.ts';
import { writeRefs } from './ref-writer.ts';
import { readRefs } from './refs.ts';

const prefix = 'refs/sluice/states/';

/** Days that a speculative commit is kept at least. */
const keptDays = 7;
const day = 24 * 60 * 60 * 1000;

/** The ref that keeps a commit for some days from now on. */
export function stateRef(name: string): string {
  return `${prefix}${new Date().toISOString().slice(0, 10)}/${name}`;
}

/** Keeps speculative commits from `git gc` for some days. Keeping one twice is harmless. */
export async function keepStates(repo: string, commits: readonly string[]): Promise<void> {
  await keep(
    repo,
    commits.map((commit) => [commit, commit]),
  );
}

/** Keeps a commit as {@link keepStates} does, and remembers that `source` has it. */
export async function keepFrom(repo: string, source: string, commit: string): Promise<void> {
  await keep(repo, [
    [commit, commit],
    [originPath(source, commit), commit],
  ]);
}

async function keep(repo: string, named: readonly (readonly [name: string, commit: string])[]): Promise<void> {
  const { code, stderr } = await writeRefs(
    repo,
    named.map(([name, commit]) => `update ${stateRef(name)} ${commit}`),
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
