import { type Layout, layoutPipelines, placement } from '../../pipelines/language/language.ts';
import { type Tick, type Timer, timersOf, turn } from '../../pipelines/policy/timers.ts';
import type { ControlActivities } from '../../workflows/activities.ts';

export interface TimerDeps {
  /** The timers of the configuration that is in force. */
  readonly timers: () => Promise<readonly Timer[]>;
  /** Brings the branch into the pipeline; the same turn may come again. */
  readonly fire: (tick: Tick) => Promise<void>;
}

/** What the entity of a tenant's timers asks. */
export function createTimerActivities({ timers, fire }: TimerDeps): Pick<ControlActivities, 'turnTimers'> {
  return {
    async turnTimers(look) {
      const { due, next, rules } = turn(await timers(), look);
      for (const tick of due) await fire(tick);
      return { next, rules };
    },
  };
}

/** The timers of a layout: one for each branch whose project uses the pipeline. */
export function timersIn(layout: Layout): readonly Timer[] {
  const pipelines = layoutPipelines(layout).filter(({ triggers }) =>
    triggers.some(({ body }) => body.time !== undefined),
  );
  if (pipelines.length === 0) return [];
  const branches = layout.projects.list.flatMap(({ name: project, branches: names }) =>
    names.map((branch) => {
      const using = pipelines.filter(({ name }) => placement(layout, name, project, branch)?.uses === 'here');
      return { project, branch, pipelines: new Set(using.map(({ name }) => name)) };
    }),
  );
  return timersOf(pipelines, branches);
}
