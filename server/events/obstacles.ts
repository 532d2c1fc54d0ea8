import { entryObstacle } from '../../pipelines/gate/obstacle.ts';
import { layoutPipelines } from '../../pipelines/language/language.ts';
import { gateActor } from '../../pipelines/model/actor.ts';
import type { TriggerEvent } from '../../pipelines/model/change.ts';
import { triggers } from '../../pipelines/policy/triggers.ts';
import type { Obstacle } from '../../pipelines/report/change-known.ts';
import type { ConflictOf } from './conflict.ts';
import { waitsForReadyAlone } from './readiness.ts';
import { takes, type View } from './route.ts';

/**
 * Why what happened to the current patch set of a change brought it into no queue: for each pipeline that reacts to some
 * of it, or takes changes by their state alone, what stands in the way now. A vote that no pipeline reacts to is one, too.
 *
 * @param events all that happened to the change, oldest first
 * @param time milliseconds since the epoch
 */
export function obstacles(view: View, events: readonly TriggerEvent[], time: number): readonly Obstacle[] {
  const { layout, change, around } = view;
  const pipelines = layoutPipelines(layout);
  const own = events.filter((event) => event.change === change.id && event.patchset === change.patchset);
  const last = own.at(-1);
  const found = pipelines.flatMap((pipeline): Obstacle[] => {
    const event = own.findLast((one) => triggers(pipeline, one, change));
    if ((event === undefined && !waitsForReadyAlone(pipeline, change)) || !takes(view, pipeline.name)) return [];
    const reason = entryObstacle({ pipelines, changes: around, pipeline: pipeline.name, change: change.key, time });
    return reason === undefined
      ? []
      : [{ pipeline: pipeline.name, reason, latest: event !== undefined && event === last }];
  });
  return last === undefined ? found : [...found, ...unheard(view, last)];
}

/** That a change does not merge onto its branch, where it was to come into a queue that merges. */
export async function conflictsIn(
  view: View,
  events: readonly TriggerEvent[],
  conflictOf: ConflictOf | undefined,
): Promise<readonly Obstacle[]> {
  const { layout, change } = view;
  const own = events.filter((event) => event.change === change.id && event.patchset === change.patchset);
  const found = layoutPipelines(layout).flatMap((pipeline): Obstacle[] => {
    const event = own.findLast((one) => triggers(pipeline, one, change));
    if (event === undefined || pipeline.manager !== 'dependent' || !takes(view, pipeline.name)) return [];
    return [{ pipeline: pipeline.name, reason: '', latest: event === own.at(-1) }];
  });
  const reason = found.length === 0 ? undefined : await conflictOf?.(view);
  return reason === undefined ? [] : found.map((one) => ({ ...one, reason }));
}

/** The last vote, where no pipeline that the project uses reacts to it. */
function unheard(view: View, event: TriggerEvent): readonly Obstacle[] {
  const { layout, change } = view;
  const votes = (event.approvals ?? []).filter(({ value }) => value > 0);
  // What Sluice says of a change is for people.
  const own = event.account?.username === gateActor.name;
  if (own || event.type !== 'comment-added' || votes.length === 0) return [];
  const reacting = layoutPipelines(layout).filter((pipeline) => triggers(pipeline, event, change));
  if (reacting.some(({ name }) => takes(view, name))) return [];
  const cast = votes.map(({ label, value }) => `${label} ${value}`).join(', ');
  const names = reacting.map(({ name }) => name).join(', ');
  const reason =
    reacting.length === 0
      ? `no pipeline reacts to the vote ${cast}`
      : `${change.project} has no jobs in ${names}, which would react to the vote ${cast}`;
  return [{ pipeline: null, reason, latest: true }];
}
