import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { MergeMode } from '../../../activities/git/merge.ts';
import type { Git } from '../../../activities/git/port.ts';
import type { ReviewHost, SubmitRequest } from '../../../activities/review/port.ts';
import type { SourceState } from '../../../pipelines/model/artifact.ts';

/** A host, and the cache that its adapter fetches into. */
export interface Tried {
  readonly host: ReviewHost;
  readonly git: Git;
}

/** Merges changes of one branch as they would be for a test: the state of the last. */
export async function prepare(
  { host, git }: Tried,
  changes: readonly string[],
  mode: MergeMode = 'merge',
): Promise<SourceState> {
  const proposals = [];
  for (const id of changes) {
    const { project, branch, ref } = (await host.readChange(id)) ?? assert.fail(id);
    await git.ensure(project, [ref]);
    proposals.push({ id, project, branch, commit: ref, mode });
  }
  const [result] = await git.merge({ items: [{ key: randomUUID(), base: null, changes: proposals }] });
  assert.equal(result?.kind, 'ready', JSON.stringify(result));
  return (result?.kind === 'ready' ? result.sources.at(-1) : undefined) ?? assert.fail('no state');
}

/** What a host is asked to merge once a change was tested alone, on its branch as it is. */
export async function testedRequest(tried: Tried, change: string, mode: MergeMode = 'merge'): Promise<SubmitRequest> {
  const { patchset } = (await tried.host.readChange(change)) ?? assert.fail(change);
  return { change, patchset, tested: await prepare(tried, [change], mode) };
}
