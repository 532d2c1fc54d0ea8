import { gateActor } from '../../pipelines/model/actor.ts';
import type { BlobRef } from '../../pipelines/model/artifact.ts';
import { changeIdOf } from '../../pipelines/model/change.ts';
import type { LineComment } from '../../pipelines/model/line-comment.ts';
import { commentsOn } from '../../pipelines/report/findings.ts';
import type { StoredGraph, SubmitInput, Submitted, TellAction, TellInput, Told } from '../../workflows/contract.ts';
import { failureOf } from '../outcome.ts';
import type { BlobStore } from '../ports.ts';
import { UnknownChange } from '../review/people.ts';
import type { ReviewHost } from '../review/port.ts';
import { keyOf, type Landing, landingOf, type MergeDeps, recall } from './landing.ts';
import { lookAt, mergeItem } from './merge-item.ts';
import { Starts } from './starts.ts';
import { takeBack } from './take-back.ts';

export interface GateDeps extends MergeDeps {
  readonly blobs: Pick<BlobStore, 'put' | 'read'>;
  /** What the builds of an item's change have found in files. */
  readonly comments: (of: Findings) => Promise<readonly LineComment[]>;
  /** Takes a change out of other pipelines, or tells them of it. */
  readonly pass: (action: Exclude<TellAction, { kind: 'report' }>) => Promise<void>;
}

/** A change's part in a build set. */
export interface Findings {
  readonly pipeline: string;
  readonly buildSet: string;
  readonly change: string;
  readonly patchset: number;
}

export function createGateActivities(deps: GateDeps) {
  const starts = new Starts();
  return {
    /**
     * Merges an item. What follows from the merge of a whole item is found when it is told: the next merge of the queue
     * need not wait for that.
     */
    submit: (input: SubmitInput): Promise<Submitted> => starts.beside(keysIn([input]), () => mergeItem(deps, input)),

    /** As many of the first items as their host can merge at once; else the first one. */
    submitTogether: ({ merges }: { readonly merges: readonly SubmitInput[] }): Promise<readonly Submitted[]> =>
      starts.beside(keysIn(merges), () => mergeTogether(deps, merges)),

    /** Says and does in order; what is about a change waits for what is before it about the same one. */
    async tell(input: TellInput): Promise<readonly Told[]> {
      const told: Told[] = [];
      const held = new Set<string>();
      for (const action of input.actions) {
        const about = action.kind === 'report' ? action.changes : [action.change];
        if (about.some((change) => held.has(change))) continue;
        if (action.kind === 'report' && action.action === 'success') await lookAt(deps, action.rules, action.changes);
        const saying = () => say(deps, input, action);
        const isStart = action.kind === 'report' && action.action === 'start';
        const failed = await failureOf(action.key, isStart ? () => starts.tell(action.changes, saying) : saying);
        told.push(failed ?? { key: action.key });
        if (failed) for (const change of about) held.add(change);
      }
      return told;
    },

    keepState: (state: unknown): Promise<BlobRef> => deps.blobs.put(JSON.stringify(state)),
    loadState: (ref: BlobRef): Promise<unknown> => recall(deps.blobs, ref),
  };
}

async function mergeTogether(deps: GateDeps, merges: readonly SubmitInput[]): Promise<readonly Submitted[]> {
  const count = await landTogether(deps, merges);
  if (count > 0) return merges.slice(0, count).map(({ changes }) => ({ merged: changes.map(({ key }) => key) }));
  const [first, ...others] = merges;
  const answer = first === undefined ? { merged: [] } : await mergeItem(deps, first);
  // What stands on one that is not merged is tested again.
  for (const input of others) await takeBack(deps, { input }, answer);
  return [answer];
}

function keysIn(merges: readonly SubmitInput[]): readonly string[] {
  return merges.flatMap(({ changes }) => changes.map(({ key }) => key));
}

/**
 * Merges the first items at once, where they are of one branch and have one change each. What goes wrong is found when
 * the first is merged by itself: that asks the host what is merged already.
 *
 * @returns how many are merged
 */
async function landTogether(deps: GateDeps, merges: readonly SubmitInput[]): Promise<number> {
  const found: Landing[] = [];
  for (const input of merges) {
    const { changes, graph } = input;
    const [change, ...others] = changes;
    if (change === undefined || others.length > 0 || graph === null) break;
    const tested = await recall<StoredGraph>(deps.blobs, graph).catch(() => undefined);
    const landing = tested && landingOf(deps, { change, tested, input });
    if (!landing || 'refused' in landing || landing.host.submitTogether === undefined) break;
    if (!isOneBranch(found[0] ?? landing, landing)) break;
    found.push(landing);
  }
  const [first, ...more] = found;
  if (first?.host.submitTogether === undefined || more.length === 0) return 0;
  const requests = found.map(({ request }) => request);
  return first.host.submitTogether(gateActor, requests).catch(() => 0);
}

function isOneBranch(one: Landing, other: Landing): boolean {
  const [a, b] = [one.request.tested, other.request.tested];
  return one.host === other.host && a.project === b.project && a.branch === b.branch;
}

async function say(deps: GateDeps, input: TellInput, action: TellAction): Promise<void> {
  if (action.kind !== 'report') await deps.pass(action);
  else await report(deps, action, keyOf(input, action.key));
}

async function report(deps: GateDeps, action: TellAction & { kind: 'report' }, key: string): Promise<void> {
  for (const patchsetKey of action.changes) {
    const change = changeIdOf(patchsetKey);
    const patchset = Number(patchsetKey.slice(change.length + 1));
    for (const { connection, body } of action.rules) {
      const host = deps.host(connection);
      if (!host || !Number.isInteger(patchset)) continue;
      const about = { pipeline: action.pipeline, action: action.action };
      const comments = await commentsFor(deps, action, { host, change, patchset });
      const said = { key, change, patchset, message: action.message, about, body };
      await unlessUnknown(host.report(gateActor, comments.length === 0 ? said : { ...said, comments }));
    }
  }
}

/** Branches and tags are no changes, and what is gone hears nothing. */
async function unlessUnknown(report: Promise<void>): Promise<void> {
  try {
    await report;
  } catch (error) {
    if (!(error instanceof UnknownChange)) throw error;
  }
}

/** What the item's jobs found in the files of a change, once the item has come to its end. */
async function commentsFor(
  deps: GateDeps,
  { pipeline, buildSet, result }: TellAction & { kind: 'report' },
  { host, change, patchset }: { readonly host: ReviewHost; readonly change: string; readonly patchset: number },
): Promise<readonly LineComment[]> {
  if (buildSet === null || result === null) return [];
  const comments = await deps.comments({ pipeline, buildSet, change, patchset });
  if (comments.length === 0) return [];
  const found = await host.readChange(change);
  return found?.patchset === patchset ? commentsOn(found.files ?? [], comments) : [];
}
