import type { GateAnswer } from '../../pipelines/gate/command.ts';
import { freezeJobs, type Layout, layoutPipelines } from '../../pipelines/language/language.ts';
import type { Change, TriggerEvent } from '../../pipelines/model/change.ts';
import { triggers } from '../../pipelines/policy/triggers.ts';
import type { Obstacle } from '../../pipelines/report/change-known.ts';
import { obstacleSentence } from '../../pipelines/report/change-story.ts';
import { proposesConfig } from './closure.ts';
import { takes, type View } from './route.ts';

/** A change with all its files, and the configuration that it would be tested with. */
export interface Subject {
  readonly view: View;
  readonly change: Change;
  readonly layout: Layout;
}

/** Why a pipeline has no job for a change, and what mends it. */
type Jobless = Required<Pick<Obstacle, 'reason' | 'cure'>>;

/** Paths that a sentence names. */
const mostPaths = 3;

/**
 * That what happened to the current patch set of a change comes to nothing, as no pipeline that reacted to it has a job
 * for it: such an item leaves its queue without a report.
 *
 * @param events all that happened to the change, oldest first
 */
export function withoutJobs(subject: Subject, events: readonly TriggerEvent[]): readonly Obstacle[] {
  const { change, view } = subject;
  if (change.status !== 'open') return [];
  const own = events.filter((event) => event.change === change.id && event.patchset === change.patchset);
  const reacting = layoutPipelines(view.layout).flatMap((pipeline) => {
    const event = own.findLast((one) => triggers(pipeline, one, change));
    return event === undefined || !takes(view, pipeline.name) ? [] : [{ pipeline: pipeline.name, event }];
  });
  const found = reacting.map((one) => ({ ...one, jobless: joblessIn(subject, one.pipeline) }));
  return found.flatMap(({ pipeline, event, jobless }): Obstacle[] => {
    const isForOthers = found.some((other) => other.event === event && other.jobless === undefined);
    return jobless === undefined || isForOthers ? [] : [{ pipeline, ...jobless, latest: event === own.at(-1) }];
  });
}

/** @returns undefined where jobs would run, or where what stands in the way is an error, which is reported */
export function joblessIn({ change, layout, view }: Subject, pipeline: string): Jobless | undefined {
  const { id, project, branch, ref, kind, files } = change;
  const countJobs = (paths: readonly string[] | null) => {
    const asked = { id, project, branch, ref, kind, files: paths };
    const result = freezeJobs(layout, {
      pipeline,
      change: asked,
      ...(proposesConfig(change) && { ahead: view.layout }),
    });
    return 'errors' in result ? undefined : result.graph.jobs.length;
  };
  if (countJobs(files) !== 0) return undefined;
  const isByFiles = files !== null && countJobs(null) !== 0;
  const what = isByFiles ? `the files that it changes: ${shortened(files)}` : `the branch ${branch}`;
  return {
    reason: `no job of ${project} there is for ${what}`,
    cure: `Give ${project} the job \`noop\` in ${pipeline}: it succeeds at once, where no other job is needed.`,
  };
}

/** That it is not brought into the pipeline that somebody asked for. */
export function notEnqueued(pipeline: string, { reason, cure }: Jobless): GateAnswer {
  return { ok: false, reason: `${obstacleSentence({ pipeline, reason })} ${cure}` };
}

function shortened(paths: readonly string[]): string {
  const more = paths.length - mostPaths;
  return `${paths.slice(0, mostPaths).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
