import { rm } from 'node:fs/promises';
import type { ReleasePlanInput, ReleasePlanOutcome } from '../../workflows/contract.ts';
import { endingForGood } from '../for-good.ts';
import { makeTemporary } from '../process/temporary.ts';
import { checked } from '../repository/names.ts';
import { RepositoryRefusal } from '../repository/port.ts';
import type { StagedState } from '../storage/port.ts';
import type { PlanBook } from './plan-book.ts';
import type { PlannedState } from './plan-port.ts';
import type { ReleaseDeps, StagedRelease } from './port.ts';
import { finishRelease, type ReleaseToFinish } from './release-activities.ts';
import { stageTakingBack } from './restore.ts';
import { type StageBuilds, stageBuilds } from './stage.ts';
import { stageExtras } from './stage-extras.ts';

/** The steps of a release plan that need no key. Each may be repeated. */
export function createPlanActivities(deps: ReleaseDeps, book: PlanBook) {
  const activities = {
    /** Looks whether the plan may be carried out, and writes down who began. */
    beginPlan: (input: ReleasePlanInput & { readonly time: number }) => book.begin(input),

    /** Prepares the next state of one repository, complete but for the signature of its index. */
    async stagePlanned(input: { readonly plan: string; readonly state: PlannedState }): Promise<StagedRelease> {
      try {
        return await stagePlanned(deps, input);
      } catch (error) {
        if (!(error instanceof RepositoryRefusal)) throw error;
        return { outcome: 'refused', reason: error.message };
      }
    },

    /** Looks at everything once more, and adds the signatures of the index. */
    finishReleased: (input: ReleaseToFinish) => finishRelease(deps, input),
  };
  // What may be shown already is tried until that is known: it must not be lost.
  return { ...endingForGood(activities), showReleased: createShow(deps), endPlan: createEnd(book) };
}

function createShow(deps: ReleaseDeps) {
  /**
   * Shows states of several repositories, one right after the other.
   *
   * @returns those that are shown: none when another release has come between for any of them
   */
  return async ({ states }: { readonly states: readonly StagedState[] }): Promise<readonly string[]> => {
    const ready = await Promise.all(states.map((state) => deps.released.amend(state, async () => true)));
    if (!ready.every((one) => one === true)) return [];
    const shown: string[] = [];
    for (const state of states) {
      if (await deps.released.show(state, () => deps.inUse(state.repository))) shown.push(state.repository);
    }
    return shown;
  };
}

function createEnd(book: PlanBook) {
  /** Writes down what came of it. @returns releases and repositories that mirrors are to hear of */
  return (
    input: ReleasePlanInput & ReleasePlanOutcome & { readonly shown: readonly string[]; readonly time: number },
  ) => book.end(input);
}

export type PlanActivities = ReturnType<typeof createPlanActivities>;

/** Stages what a plan does to one repository. @throws RepositoryRefusal */
export async function stagePlanned(
  deps: ReleaseDeps,
  request: { readonly plan: string; readonly state: PlannedState } & Pick<StageBuilds, 'look'>,
): Promise<StagedRelease> {
  const { plan, state, look } = request;
  const work = await makeTemporary('sluice-release');
  const name = `staged-${checked('file name', plan)}-${checked('file name', state.repository)}`;
  const looking = look === undefined ? {} : { look };
  try {
    if (state.extras !== undefined)
      return await stageExtras(deps, { ...state, extras: state.extras, name, ...looking });
    if (state.remove.length > 0) {
      return await stageTakingBack(deps, { ...state, restore: state.restore ?? [], name, work, ...looking });
    }
    return await stageBuilds(deps, { ...state, name, work, ...looking });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
