import { createHash } from 'node:crypto';

/** Names of the refs that the host keeps in each repository. */

export const changesPrefix = 'refs/changes/';
export const votesRef = 'refs/notes/votes';
/** A blob: the hook that adds the `Change-Id:` footer, for developers to fetch. */
export const commitMsgRef = 'refs/tools/commit-msg';
export const emptyTreeRef = 'refs/sluice/empty';

/** `refs/changes/07/7/2`: patch set 2 of change 7. */
export function patchsetRef(number: number, patchset: number): string {
  return `${changePrefix(number)}${patchset}`;
}

/** `refs/changes/07/7/meta`: what happened to change 7, a commit for each event. */
export function metaRef(number: number): string {
  return `${changePrefix(number)}meta`;
}

/** Exists once for each `Change-Id:` and branch, so that two first pushes of one change cannot both make it. */
export function identityRef(changeId: string, branch: string): string {
  return `${identityPrefix(changeId)}${createHash('sha256').update(branch).digest('hex').slice(0, 16)}`;
}

export function identityPrefix(changeId: string): string {
  return `refs/sluice/ids/${changeId}/`;
}

function changePrefix(number: number): string {
  return `${changesPrefix}${String(number % 100).padStart(2, '0')}/${number}/`;
}
