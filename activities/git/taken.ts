import { createHash } from 'node:crypto';
import { writeRefs } from './ref-writer.ts';
import { isAncestor, type RefUpdate, readBranches, readRefs, updateRefs } from './refs.ts';

/*
 * What branches were at before somebody forced them back, wrote them anew or removed them: a host keeps nothing of it,
 * and a change that was made on it would bring it back. It is known of the branches that changes are tested on, and of
 * no others: most branches of a repository are somebody's own, and are written anew all day.
 */

const prefix = 'refs/sluice/taken/';

/** What a branch was at when it was last compared. */
const tips = 'refs/sluice/tips/';

/** Days for which it is remembered what was taken from a branch. */
const keptDays = 90;
const day = 24 * 60 * 60 * 1000;

/** The name of a branch may be that of another one's directory; its digest is none. */
function digestOf(branch: string): string {
  return createHash('sha256').update(branch).digest('hex');
}

function tipOf(branch: string): string {
  return `${tips}${digestOf(branch)}`;
}

/** What a branch was at when it was taken from it; all of it may be there again. */
export async function readTaken(repo: string, branch: string): Promise<readonly string[]> {
  return [...(await readRefs(repo, `${prefix}${digestOf(branch)}/`)).values()];
}

/** Has it noticed from now on what is taken from a branch. @param tip what it is at */
export async function watchBranch(repo: string, branch: string, tip: string): Promise<void> {
  const ref = tipOf(branch);
  // Where another process is first, it is watched too.
  if ((await readRefs(repo, ref)).size === 0) await updateRefs(repo, [{ ref, from: null, to: tip }]);
}

/** Goes with a move of a branch, so that what it moves to is noticed when it is taken. */
export async function tipUpdate(repo: string, branch: string, to: string): Promise<RefUpdate> {
  const ref = tipOf(branch);
  return { ref, from: (await readRefs(repo, ref)).get(ref) ?? null, to };
}

/** Moves branches, and remembers what was taken from them by it, also where they have moved in part only. */
export async function watchTaken(repo: string, move: () => Promise<void>): Promise<void> {
  // They may have been moved by a push of ours, or by a process that was killed.
  await noteTaken(repo);
  try {
    await move();
  } finally {
    await noteTaken(repo);
  }
}

/** How often it is begun where another process does the same. */
const attempts = 3;

/** Remembers what was taken from branches since they were compared last. Doing it twice is harmless. */
export async function noteTaken(repo: string): Promise<void> {
  for (let n = 0; n < attempts; n += 1) {
    const updates = await compare(repo);
    if (updates.length === 0 || (await updateRefs(repo, updates))) return;
  }
  throw new Error(`what branches of ${repo} were at is locked: see whether a file *.lock is left below ${tips}`);
}

async function compare(repo: string): Promise<RefUpdate[]> {
  const seen = await readRefs(repo, tips);
  if (seen.size === 0) return [];
  const now = new Map([...(await readBranches(repo))].map(([branch, commit]) => [digestOf(branch), commit]));
  const known = await readRefs(repo, prefix);
  const updates: RefUpdate[] = [];
  for (const [ref, from] of seen) {
    const digest = ref.slice(tips.length);
    const to = now.get(digest) ?? null;
    if (to === from) continue;
    updates.push({ ref, from, to });
    if (to === null || !(await isAncestor(repo, from, to))) updates.push(...keep(`${prefix}${digest}/`, from, known));
  }
  return updates;
}

/** Keeps a commit from today on, whenever it was taken before. */
function keep(below: string, commit: string, known: ReadonlyMap<string, string>): RefUpdate[] {
  const ref = `${below}${new Date().toISOString().slice(0, 10)}/${commit}`;
  const older = [...known.keys()].filter((old) => old !== ref && old.startsWith(below) && old.endsWith(`/${commit}`));
  return [
    { ref, from: known.get(ref) ?? null, to: commit },
    ...older.map((old) => ({ ref: old, from: commit, to: null })),
  ];
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
