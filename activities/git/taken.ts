import { createHash } from 'node:crypto';
import { writeRefs } from './ref-writer.ts';
import { isAncestor, readBranches, readRefs } from './refs.ts';

/*
 * What branches were at before somebody forced them back, wrote them anew or removed them: a host keeps nothing of it,
 * and a change that was made on it would bring it back.
 */

const prefix = 'refs/sluice/taken/';

/** Days for which it is remembered what was taken from a branch. */
const keptDays = 90;
const day = 24 * 60 * 60 * 1000;

/** The name of a branch may be that of another one's directory; its digest is none. */
function below(branch: string): string {
  return `${prefix}${createHash('sha256').update(branch).digest('hex')}/`;
}

/** Remembers commits as taken from a branch. Doing it twice is harmless. */
export async function keepTaken(repo: string, branch: string, commits: readonly string[]): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const known = new Set(await readTaken(repo, branch));
  const lines = commits
    .filter((commit) => !known.has(commit))
    .map((commit) => `update ${below(branch)}${date}/${commit} ${commit}`);
  if (lines.length === 0) return;
  const { code, stderr } = await writeRefs(repo, lines);
  if (code !== 0) throw new Error(`git does not keep in ${repo} what was taken from ${branch}: ${stderr.trim()}`);
}

/** What a branch was at when it was taken from it; all of it may be there again. */
export async function readTaken(repo: string, branch: string): Promise<readonly string[]> {
  return [...(await readRefs(repo, below(branch))).values()];
}

/**
 * Moves branches, and remembers what was taken from them by it.
 *
 * @param isKept whether a branch is one that anything is merged into
 */
export async function watchTaken(
  repo: string,
  isKept: (branch: string) => boolean,
  move: () => Promise<void>,
): Promise<void> {
  const before = await readBranches(repo);
  await move();
  const after = await readBranches(repo);
  for (const [branch, old] of before) {
    const now = after.get(branch);
    if (now === old || !isKept(branch)) continue;
    if (now === undefined || !(await isAncestor(repo, old, now))) await keepTaken(repo, branch, [old]);
  }
}

/** Forgets what was taken so long ago. @param now milliseconds since the epoch */
export async function expireTaken(repo: string, now: number): Promise<void> {
  const oldest = new Date(now - keptDays * day).toISOString().slice(0, 10);
  const old = [...(await readRefs(repo, prefix)).keys()].filter((ref) => (ref.split('/')[4] ?? '') < oldest);
  if (old.length > 0) {
    await writeRefs(
      repo,
      old.map((ref) => `delete ${ref}`),
    );
  }
}
