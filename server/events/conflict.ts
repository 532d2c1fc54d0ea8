import type { MergeMode } from '../../activities/git/merge.ts';
import type { Git } from '../../activities/git/port.ts';
import { projectSettings } from '../../pipelines/language/language.ts';
import type { View } from './route.ts';

/** Why a change does not merge onto its branch as both are; undefined where it does, or where that is not asked. */
export type ConflictOf = (view: View) => Promise<string | undefined>;

/**
 * Tries a merge before a queue that merges takes the change: who votes is told at once, and what runs for the change
 * goes on. One that stands on others is left to the queue, which has those merged first.
 *
 * @param tellsAtOnce connections whose people hear what comes of their votes; elsewhere the queue's report says it
 */
export function createConflictOf(git: Pick<Git, 'merge'>, tellsAtOnce: (connection: string) => boolean): ConflictOf {
  return async ({ layout, change, around }) => {
    const { id, key, project, branch, ref, kind, status, connection, parents, dependsOn } = change;
    if (kind !== 'change' || status !== 'open' || !tellsAtOnce(connection)) return undefined;
    const needs = new Set([...parents, ...dependsOn]);
    if (around.some((one) => needs.has(one.id) && one.status !== 'merged')) return undefined;
    const mode = projectSettings(layout, project)?.mergeMode as MergeMode | undefined;
    const proposal = { id, project, branch, commit: ref, ...(mode === undefined ? {} : { mode }) };
    const [result] = await git.merge({ items: [{ key, base: null, changes: [proposal] }] });
    if (result?.kind !== 'conflict') return undefined;
    if (result.taken) return result.message;
    return `${result.message} with ${branch}: rebase it (\`git pull --rebase origin ${branch}\`), and push it again`;
  };
}
