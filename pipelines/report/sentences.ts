import type { BuildResult } from '../model/job.ts';
import type { Pipeline } from '../model/pipeline.ts';
import { counted } from '../model/words.ts';

/** As much of a change as a sentence needs. */
export interface Named {
  readonly id: string;
  readonly key: string;
  readonly project: string;
  readonly branch: string;
  readonly url?: string;
}

/** How a change is named to readers: by its address where it has one. */
export function nameOf(change: Named): string {
  return change.url ?? change.id;
}

/** How a report names its item, which holds so many changes. */
export function itemText(changes: number): string {
  return changes > 1 ? 'This cycle of changes' : 'This change';
}

export function brokenBelow(changes: number, below: readonly string[]): string {
  return `${itemText(changes)} depends on ${below.join(', ')}, which has an invalid configuration.`;
}

export function neededUnknown(key: string): string {
  return `It depends on ${key}, which is not known here.`;
}

export function neededOutdated(needed: Named): string {
  return `It depends on ${needed.key} of ${needed.project}, which is not the current patch set.`;
}

export function basedOnOlder(it: string, { on, current }: { readonly on: string; readonly current: number }): string {
  return `${it} is based on ${on}, the current patch set is ${current}: rebase it.`;
}

export function neededUnmergeable(needed: Named): string {
  return `It depends on ${nameOf(needed)} of ${needed.project}, which cannot be merged.`;
}

export function queueNotShared(change: Named, needed: Named): string {
  return `${nameOf(change)} of ${change.project} depends on ${nameOf(needed)} of ${needed.project}, but the two projects do not share a queue.`;
}

/** @param missing what the review system says itself, each without an end */
export function cannotMerge(change: Named & { readonly missing?: readonly string[]; readonly wip?: boolean }): string {
  const { missing = [], wip } = change;
  const name = `${nameOf(change)} of ${change.project}`;
  if (wip && missing.length === 0)
    return `${name} is work in progress: it waits until its author says that it is ready.`;
  const reason = missing.length > 0 ? missing.join('; ') : 'a merge requirement of the review system is missing';
  return `${name} cannot be merged: ${reason}.`;
}

export function cycleNotAllowed(change: Named): string {
  return `${nameOf(change)} is part of a dependency cycle, and ${change.project} does not allow those on ${change.branch}: take a \`Depends-On\` out, or set \`allow-circular-dependencies: true\` on the queue that all projects of the cycle share.`;
}

export function pipelineFull(pipeline: Pipeline, limit: number): string {
  return `With it, ${pipeline.name} would hold more than its limit of ${counted(limit, 'change')} in its queues.`;
}

export function notEnqueued(pipeline: Pipeline, reason: string): string {
  return withFooter(pipeline, `Not enqueued in ${pipeline.name}.\n\n${reason}`);
}

export function providerFailed(of: {
  readonly job: string;
  readonly wanted: readonly string[];
  readonly change: Named;
  readonly result: { readonly job: string; readonly result: BuildResult };
}): string {
  const artifact = of.wanted.join(', ');
  return `Job ${of.job} requires artifact ${artifact} from job ${of.result.job} of ${nameOf(of.change)}, which ended with ${of.result.result}.`;
}

/** From whom a job waits for what it requires: the reason as `sluice status` and the page show it. */
export function awaited(of: {
  readonly wanted: readonly string[];
  readonly provider: string | undefined;
  readonly change: Named;
}): string {
  const from = of.provider === undefined ? nameOf(of.change) : `${of.provider} of ${nameOf(of.change)}`;
  return `requirements: ${of.wanted.join(', ')}, from ${from}`;
}

/** Ends a text with the pipeline's footer, when it has one. */
export function withFooter(pipeline: Pipeline, text: string): string {
  const footer = pipeline.messages.footer;
  return footer === '' ? text : `${text}\n\n${footer}`;
}

/** Why a job does not run again in a queue; `phase` is the item's, or `left` where there is none any more. */
export function retriggerTooLate(
  { job, change, pipeline }: { readonly job: string; readonly change: string; readonly pipeline: string },
  phase: 'left' | 'submitting' | 'reporting',
): string {
  const found = { left: `is not in ${pipeline}`, submitting: 'is being merged', reporting: 'has its verdict' }[phase];
  const when = phase === 'submitting' ? ' should that be refused' : '';
  const enqueue = `sluice enqueue --pipeline ${pipeline} --change ${change}`;
  return `${change} ${found}: too late to run ${job} again there; \`${enqueue}\` tests it anew${when}`;
}

/** Patch sets of an item, by what became of them. */
interface Parts {
  readonly pipeline: string;
  readonly merged: readonly string[];
  /** Ids of the changes that are still open. */
  readonly open: readonly string[];
  readonly unknown: readonly string[];
}

/** Why an item was not merged, what is known of its patch sets all the same, and what to do where a part is merged. */
export function mergedInPart(reason: string, { pipeline, merged, open, unknown }: Parts): string {
  const again = open.map((change) => `\`sluice enqueue --pipeline ${pipeline} --change ${change}\``).join(', ');
  const lines = [
    ...(reason === '' ? [] : [reason]),
    ...(merged.length === 0 ? [] : [`Merged already: ${merged.join(', ')}.`]),
    ...(merged.length === 0 || open.length === 0
      ? []
      : [`Not merged: ${open.join(', ')}. Tested on what is merged by ${again}; or revert that.`]),
    ...(unknown.length === 0 ? [] : [`Whether ${unknown.join(', ')} is merged is not known: look there.`]),
  ];
  return lines.join('\n');
}

/** Why nothing is found under a project's name at its host, and what to do. @param now what it is called there */
export function absence(project: string, now: string | null): string {
  if (now !== null) return `${project} is called ${now} there: name it so in sluice.yaml`;
  return `${project} is not shown: renamed or removed there, or closed to Sluice's account; give it access, or name it anew`;
}
