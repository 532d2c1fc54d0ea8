import { CancellationScope, proxyActivities, rootCause } from '@temporalio/workflow';
import type { PlanActivities } from '../activities/release/plan-activities.ts';
import type { PlannedState } from '../activities/release/plan-port.ts';
import type { SignActivities } from '../activities/sign/sign-activities.ts';
import type { StagedState } from '../activities/storage/port.ts';
import { nothingComesBack } from '../pipelines/report/dropped.ts';
import { control, heartbeatTimeout } from './activities.ts';
import { type ReleasePlanInput, type ReleasePlanOutcome, taskQueues } from './contract.ts';
import { releasePlanId } from './ids.ts';
import { requireId, requireInput } from './input.ts';
import { has } from './patches.ts';
import { indexesOf, refusal } from './release-publish.ts';

const retry = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' } as const;
const options = { startToCloseTimeout: '30m', heartbeatTimeout, retry } as const;
const steps = proxyActivities<PlanActivities>(options);
const signer = proxyActivities<SignActivities>({ taskQueue: taskQueues.sign, ...options });

/**
 * Carries a release plan out, or takes it back: the next state of each repository is made and signed, and only when all
 * of them are ready they are shown, one right after the other.
 */
export async function releasePlan(input: ReleasePlanInput): Promise<ReleasePlanOutcome> {
  requireInput('releasePlan', input);
  requireId(releasePlanId(input));
  const begun = await steps.beginPlan({ ...input, time: Date.now() });
  if ('refused' in begun) return { ok: false, summary: begun.refused };
  const shown: string[] = [];
  const done: Shown = { shown, notes: new Map() };
  let outcome: ReleasePlanOutcome;
  try {
    const refused = await showAll(input.plan, begun.states, done);
    // What a release puts out and keeps is told with the release; what comes back is told here alone.
    const told = input.action === 'revert' ? [...done.notes.values()].flat() : [];
    outcome = { ok: refused === null, summary: refused ?? [begun.summary, ...new Set(told)].join('; ') };
  } catch (error) {
    await conclude(input, { ok: false, summary: rootCause(error) ?? String(error) }, shown);
    throw error;
  }
  await conclude(input, outcome, shown);
  return outcome;
}

/** What became of states. */
export interface Shown {
  /** Repositories that have theirs. */
  readonly shown: string[];
  /** What was said of the state of each as it was made last. */
  readonly notes: Map<string, readonly string[]>;
}

/**
 * Makes and signs the states of several repositories, and shows them.
 *
 * @param plan names the states while they wait
 * @returns why the rest is not shown; null once all of it is
 */
export async function showAll(
  plan: string,
  states: readonly PlannedState[],
  { shown, notes }: Shown,
): Promise<string | null> {
  for (;;) {
    const open = states.filter(({ repository }) => !shown.includes(repository));
    const ready: StagedState[] = [];
    let again = false;
    for (const state of open) {
      const made = await makeReady(plan, state);
      if ('refused' in made) return made.refused;
      if (made.state === 'unchanged') shown.push(state.repository);
      else if (made.state === null) again = true;
      else {
        ready.push(made.state);
        notes.set(state.repository, made.notes);
      }
    }
    // Another release came between: what stood on the state before is made anew.
    if (again) continue;
    if (ready.length === 0) return null;
    // From here on they may be shown at any moment: cancelled now, that would be done and nobody would know.
    const done = await CancellationScope.nonCancellable(() => steps.showReleased({ states: ready }));
    shown.push(...done);
  }
}

type Made =
  | { readonly state: StagedState | 'unchanged' | null; readonly notes: readonly string[] }
  | { readonly refused: string };

/** What may not come back does not keep what is taken back where it is: it is left out then. */
async function makeReady(plan: string, state: PlannedState): Promise<Made> {
  const made = await makeWhole(plan, state);
  const { restore = [] } = state;
  if (!('refused' in made) || restore.length === 0 || !has('revert-without-refused')) return made;
  const alone = await makeWhole(plan, { ...state, restore: [] });
  if ('refused' in alone) return alone;
  return { ...alone, notes: [nothingComesBack(made.refused), ...alone.notes] };
}

function makeWhole(plan: string, state: PlannedState): Promise<Made> {
  return makeSigned(plan, state).catch(refusal);
}

async function makeSigned(plan: string, state: PlannedState): Promise<Made> {
  const { format, repository, merged } = state;
  const staged = await steps.stagePlanned({ plan, state });
  if (staged.outcome === 'refused') return { refused: `${repository}: ${staged.reason}` };
  if (staged.outcome === 'unchanged') return { state: 'unchanged', notes: [] };
  const { name, before, notes = [] } = staged;
  const signatures = await signer.signIndex({ ...indexesOf(staged), repository });
  const finished = await steps.finishReleased({ format, repository, name, before, signatures, merged });
  if (finished.refused !== undefined) return { refused: `${repository}: ${finished.refused}` };
  return finished.ready ? { state: { repository, name, before }, notes } : { state: null, notes: [] };
}

async function conclude(input: ReleasePlanInput, outcome: ReleasePlanOutcome, shown: readonly string[]): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    const news = await steps.endPlan({ ...input, ...outcome, shown, time: Date.now() });
    for (const { format, repository, release } of news) await control.startMirrors({ format, repository, release });
    if (input.action === 'commit' && news.length > 0) await control.retireTestRepositories(null);
  });
}
