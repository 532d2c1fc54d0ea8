import type { ChangeFacts } from '../../pipelines/gate/command.ts';
import { gateActor } from '../../pipelines/model/actor.ts';
import { changeIdOf } from '../../pipelines/model/change.ts';
import type { ConnectionRule } from '../../pipelines/model/pipeline.ts';
import type { StoredGraph, SubmitInput, Submitted } from '../../workflows/contract.ts';
import { isAway, reasonOf } from '../outcome.ts';
import { goneFrom, movedFrom } from '../review/exact.ts';
import { OtherStateLanded } from '../review/other-state.ts';
import { type Landing, landingOf, type MergeDeps, mergesBy, recall } from './landing.ts';
import { takeBack } from './take-back.ts';

/** An item that is about to be merged. */
interface Merging {
  readonly deps: MergeDeps;
  readonly input: SubmitInput;
  readonly tested: () => Promise<StoredGraph>;
  /** What merges of ours have made of branches, by their names: commits. */
  readonly made: Map<string, string>;
  /** Keys of what is merged, by this try or by an earlier one. */
  readonly merged: Set<string>;
}

type Fault = Pick<Submitted, 'away' | 'broken'>;
type Hindrance = Pick<Submitted, 'refused' | 'moved'>;
/** It is merged, to another state than was tested. */
type Other = { readonly other: string };

/**
 * Merges the changes of an item in order, and stops at the first that is not merged. Of several that need each other
 * none is merged before each may be, as far as their hosts tell.
 */
export async function mergeItem(deps: MergeDeps, input: SubmitInput): Promise<Submitted> {
  const { graph, changes } = input;
  if (!graph) return { merged: [], refused: 'no state of it was tested' };
  const merged = new Set<string>();
  const merging: Merging = { deps, input, tested: () => recall(deps.blobs, graph), made: new Map(), merged };
  const hindered = changes.length > 1 ? await orFault(() => hindrance(merging)) : null;
  if (hindered !== null) return ended(merging, hindered);
  for (const change of changes) {
    const answer = await orFault(() => mergeNext(merging, change));
    if (answer !== null && 'other' in answer) {
      merged.add(change.key);
      return ended(merging, { refused: answer.other });
    }
    if (answer !== null) {
      // The merge may be made all the same: before something went wrong, or with another one of the item.
      const mayBe = 'broken' in answer || merged.size > 0;
      const found = mayBe ? await isMerged(deps, change) : false;
      if (!found) return ended(merging, { ...answer, ...(found === undefined && { unknown: [change.key] }) });
    }
    merged.add(change.key);
  }
  return { merged: [...merged] };
}

/** What is merged of an item that ends so. */
async function ended({ deps, input, ...merging }: Merging, answer: Omit<Submitted, 'merged'>): Promise<Submitted> {
  const merged = [...merging.merged];
  await takeBack(deps, { input, merged }, answer);
  await lookAt(deps, input.rules, merged);
  return { merged, ...answer };
}

/** Why not all of an item's changes may be merged. What an earlier try has merged is. */
async function hindrance({ deps, input, tested, merged }: Merging): Promise<Hindrance | null> {
  const stored = await tested();
  const missing: string[] = [];
  const landings: Landing[] = [];
  for (const change of input.changes) {
    const landing = landingOf(deps, { change, tested: stored, input });
    if ('refused' in landing) return landing;
    const { host, request } = landing;
    const answer = await host.canMerge(change.id, await deps.own(change.connection), request.mode);
    if (answer.ok) landings.push(landing);
    // As another patch set where the host makes one of what was pushed.
    else if (!answer.isOpen && (await host.readChange(change.id))?.status === 'merged') merged.add(change.key);
    else missing.push(`${change.id}: ${answer.missing.join('; ')}`);
  }
  if (missing.length > 0) return { refused: missing.join('\n') };
  return merged.size === 0 ? movedBranch(stored, landings) : null;
}

/** That somebody else has moved a branch, before the first merge: then all is tested again, and nothing merged in part. */
async function movedBranch({ steps = [] }: StoredGraph, landings: readonly Landing[]): Promise<Hindrance | null> {
  for (const { host, request } of landings) {
    const { project, branch } = request.tested;
    const own = steps.filter((step) => step.project === project && step.branch === branch);
    if (own.length === 0) continue;
    const tip = await host.branchTip(project, branch);
    const known = own.some(({ onto, commit }) => tip === onto || tip === commit);
    if (known) continue;
    const isGone = tip === null && own.every(({ onto }) => onto !== null);
    return isGone ? { refused: goneFrom(request.tested).reason } : { moved: movedFrom(request.tested).reason };
  }
  return null;
}

/** @returns why the change was not merged; null when it is */
async function mergeNext(
  { deps, input, tested, made }: Merging,
  change: ChangeFacts,
): Promise<Hindrance | Other | null> {
  const stored = await tested();
  const landing = landingOf(deps, { change, tested: stored, input });
  if ('refused' in landing) return landing;
  const { host, request } = landing;
  const place = `${change.project} ${change.branch}`;
  const onto = made.get(place);
  const answer = await host.submit(gateActor, { ...request, ...(onto !== undefined && { onto }) }).catch((error) => {
    if (error instanceof OtherStateLanded) return { other: error.message };
    throw error;
  });
  if ('other' in answer) return answer;
  if ('reason' in answer) return answer.kind === 'moved' ? { moved: answer.reason } : { refused: answer.reason };
  const { commit, tree } = answer.state;
  if (tree === request.tested.tree || tree === request.step?.tree) made.set(place, commit);
  return null;
}

async function orFault<T>(work: () => Promise<T>): Promise<T | Fault> {
  try {
    return await work();
  } catch (error) {
    return isAway(error) ? { away: reasonOf(error) } : { broken: reasonOf(error) };
  }
}

/** Whether the host has the patch set as merged; undefined where it does not say. */
async function isMerged({ host }: MergeDeps, change: ChangeFacts): Promise<boolean | undefined> {
  try {
    const found = await host(change.connection)?.readChange(change.id);
    return found?.status === 'merged' && found.patchset === change.patchset;
  } catch {
    return undefined;
  }
}

/** Looks at what was merged; the merge is done: what cannot be looked at now, the periodic sync finds. */
export async function lookAt(
  deps: Pick<MergeDeps, 'look'>,
  rules: readonly ConnectionRule[],
  keys: readonly string[],
): Promise<void> {
  for (const change of keys.map(changeIdOf)) {
    const rule = rules.find((one) => mergesBy(one) && change.startsWith(`${one.connection}:`));
    if (rule !== undefined) await deps.look(rule.connection, change).catch(() => undefined);
  }
}
