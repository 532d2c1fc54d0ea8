import { busyTime } from '../../activities/process/timing.ts';
import type { ToolTimes } from '../../infra/temporal/tool-times.ts';
import { parseGateId, parseJobId, parseMirrorId, parseReleaseId } from '../../workflows/ids.ts';

/** One step on the path; milliseconds. */
export interface PathNode {
  readonly node: string;
  /** From the end of the step before to the beginning of this one. */
  readonly gap: number;
  /** From its beginning to its end. */
  readonly wall: number;
  /** In which at least one external tool ran. */
  readonly tools: number;
}

interface Step {
  readonly node: string;
  readonly activities: readonly ToolTimes[];
}

/** The stages that a stage of the same format waits for. */
const before: Readonly<Record<string, string | undefined>> = {
  lint: 'build',
  publish: 'build',
  install: 'publish',
  systest: 'publish',
};

/** Repository of a release to the set of mirrors that it starts. */
const sets: Readonly<Record<string, string | undefined>> = { 'debian-12': 'deb', 'rpm-debian-12': 'rpm' };

/**
 * From the mirror transaction that ended last back to the push: its release, the merge, the job that ended last, and
 * for each job what it waited for last.
 *
 * @param times what happened since the push
 * @param options.pushed when the push ended; milliseconds since the epoch
 * @param options.places whether a job that waited for a place on the worker follows the one that left it; else each
 *   follows what it depends on, and its wait for a place is a gap
 */
export function criticalPath(
  times: readonly ToolTimes[],
  { pushed, places }: { readonly pushed: number; readonly places: boolean },
): readonly PathNode[] {
  const sync = latest(times.filter(({ activity }) => activity === 'syncMirrors'));
  const set = parseMirrorId(sync.workflow);
  const release = times.filter((each) => isRelease(each, set) && each.ended <= sync.started);
  const submit = latest(times.filter((each) => isGate(each, 'gate') && each.activity === 'submit'));
  const stages = times.filter(({ activity }) => activity === 'runStage');
  const steps: Step[] = [
    { node: 'prepare', activities: times.filter((each) => isGate(each, 'gate') && each.activity === 'prepare') },
    ...jobsTo(latest(stages), { stages, places }).map((stage) => ({ node: jobOf(stage), activities: [stage] })),
    { node: 'merge', activities: [submit] },
    { node: 'prepare post', activities: times.filter((each) => isGate(each, 'post') && each.activity === 'prepare') },
    { node: `release ${set}`, activities: release },
    { node: `mirror ${set}`, activities: [sync] },
  ];
  return measure(steps, pushed);
}

/** The jobs that led to this one, oldest first. */
function jobsTo(
  stage: ToolTimes,
  among: { readonly stages: readonly ToolTimes[]; readonly places: boolean },
): readonly ToolTimes[] {
  const { stages, places } = among;
  const left = stages.filter(({ ended }) => places && ended > stage.scheduled && ended <= stage.started);
  const [name, format] = jobOf(stage).split('-');
  const needed = stages.filter((each) => jobOf(each) === `${before[name ?? '']}-${format}`);
  const causes = left.length > 0 ? left : needed;
  return causes.length === 0 ? [stage] : [...jobsTo(latest(causes), among), stage];
}

function measure(steps: readonly Step[], pushed: number): readonly PathNode[] {
  let until = pushed;
  return steps.map(({ node, activities }) => {
    if (activities.length === 0) throw new Error(`nothing is known of the step ${node}`);
    const started = Math.min(...activities.map((each) => each.started));
    const ended = Math.max(...activities.map((each) => each.ended));
    const gap = started - until;
    until = ended;
    return { node, gap, wall: ended - started, tools: busyTime(activities.flatMap(({ runs }) => runs)) };
  });
}

function latest(times: readonly ToolTimes[]): ToolTimes {
  const [last] = [...times].sort((a, b) => b.ended - a.ended);
  if (last === undefined) throw new Error('an activity that belongs to the chain was not recorded');
  return last;
}

function jobOf({ workflow }: ToolTimes): string {
  return parseJobId(workflow).job;
}

function isGate({ workflow }: ToolTimes, pipeline: string): boolean {
  return workflow.startsWith('gate/') && parseGateId(workflow).pipeline === pipeline;
}

function isRelease({ workflow }: ToolTimes, set: string): boolean {
  return workflow.startsWith('release/') && sets[parseReleaseId(workflow).repository] === set;
}
