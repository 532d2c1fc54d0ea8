import { currentBuilds } from '../jobs/build-set.ts';
import { related, relations } from '../jobs/graph.ts';
import type { FrozenJob } from '../model/job.ts';
import { retriggerTooLate } from '../report/sentences.ts';
import type { GateAnswer, GateCommand } from './command.ts';
import { type Draft, emit, itemOf, itemsInOrder } from './draft.ts';
import { liveItem } from './enqueue.ts';
import { resetFollowers, resetFrom } from './operations.ts';
import { hasTaken } from './permissions.ts';
import type { Item } from './state.ts';

type Command<Type extends GateCommand['type']> = Extract<GateCommand, { type: Type }>;

/** An ended job of an item that has no verdict yet. */
interface Ended {
  readonly item: Item;
  readonly job: FrozenJob;
}

type JobOfChange = Omit<Command<'retrigger'>, 'type' | 'time'>;

/** The job that somebody wants to run again, or why it cannot. */
function endedJob(draft: Draft, { pipeline, change, job: name }: JobOfChange): Ended | { readonly refused: string } {
  const item = liveItem(draft, { pipeline, change });
  const about = { pipeline, change, job: name };
  if (!item) return { refused: retriggerTooLate(about, 'left') };
  const { builds } = item.buildSet;
  if (!builds) return { refused: `${change} has no jobs to run again yet` };
  if (item.phase !== 'queued') return { refused: retriggerTooLate(about, item.phase) };
  const jobs = builds.graph.jobs.filter((one) => one.name === name || one.key === name);
  const ids = item.changes.filter((key) => key === change || draft.state.facts.changes[key]?.id === change);
  const job = jobs.find((one) => ids.some((key) => draft.state.facts.changes[key]?.id === one.change)) ?? jobs[0];
  if (!job) return { refused: `${change} has no job ${name}` };
  const result = currentBuilds(builds).get(job.key)?.result ?? null;
  return result === null ? { refused: `${name} has not ended yet` } : { item, job };
}

/** Holds the item's verdict until its build set has said whether the job runs again. */
export function retriggerAsked(draft: Draft, command: Command<'retrigger-asked'>): GateAnswer {
  const found = endedJob(draft, command);
  if ('refused' in found) return { ok: false, reason: found.refused };
  const { asked = [] } = found.item.buildSet;
  if (asked.includes(found.job.key)) return { ok: true };
  emit(draft, { type: 'retriggers-asked', item: found.item.id, jobs: [...asked, found.job.key] });
  return { ok: true };
}

/** The build set has said what comes of it. */
export function retriggerHeard(draft: Draft, { id, buildSet }: Item, job: string): void {
  const jobs = buildSet.asked?.filter((one) => one !== job);
  if (jobs?.length !== buildSet.asked?.length) emit(draft, { type: 'retriggers-asked', item: id, jobs: jobs ?? [] });
}

/** Runs a job again; what is built on an item that failed, and no longer does, is built on it anew. */
export function retriggered(draft: Draft, command: Command<'retrigger'>): GateAnswer {
  const found = endedJob(draft, command);
  if ('refused' in found) return { ok: false, reason: found.refused };
  const { item, job } = found;
  retriggerHeard(draft, item, job.key);
  const whole = command.whole ? { whole: command.whole } : {};
  emit(draft, { type: 'builds-changed', item: item.id, change: { type: 'retrigger', job: job.key, ...whole } });
  if (item.failing.length > 0) resetFollowers(draft, itemOf(draft, item.id));
  if (command.whole) resetUsers(draft, itemOf(draft, item.id), job.key);
  return { ok: true };
}

/** What other items have taken from a job that runs again, or from one that uses it, is no longer what is merged. */
function resetUsers(draft: Draft, supplier: Item, job: string): void {
  const { graph } = supplier.buildSet.builds ?? {};
  if (!graph) return;
  const again = related(relations(graph).children, job);
  const names = graph.jobs.flatMap((one) => (one.key === job || again.has(one.key) ? one.provides : []));
  for (const item of itemsInOrder(draft)) {
    const now = itemOf(draft, item.id);
    if (now.id === supplier.id || now.phase !== 'queued') continue;
    if (hasTaken(draft.state, now, { supplier, names })) resetFrom(draft, now);
  }
}
