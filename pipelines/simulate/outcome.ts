import { hasAnother } from '../jobs/alternatives.ts';
import type { BuildOutcome } from '../jobs/state.ts';
import type { FrozenJob, Nodeset } from '../model/job.ts';
import { matchesStart } from '../policy/pattern.ts';
import type { Outcome } from './scenario.ts';

/** What an outcome is looked up by. */
export interface Attempt {
  readonly job: FrozenJob;
  /** Which of its nodesets it is tried on. */
  readonly nodeset: Nodeset;
  readonly attempt: number;
  readonly change: string;
  readonly pipeline: string;
  /** Names in the state that is built, the change itself among them. */
  readonly state: readonly string[];
}

/** How a build goes: what is seen of it, and how long after its start (milliseconds). */
export interface Course {
  readonly after: number;
  readonly failingAfter?: number;
  readonly pauses: boolean;
  /** Its nodes cannot be had: it never starts. */
  readonly nodeFailure: boolean;
  readonly outcome: Omit<BuildOutcome, 'time'>;
}

const usual: Outcome = { result: 'SUCCESS', after: 60_000, artifacts: [], phase: 'run', retry: true };

/** How an attempt goes, by the first outcome that fits it. */
export function courseOf(outcomes: readonly Outcome[], attempt: Attempt): Course {
  if (attempt.job.name === 'noop') {
    return { after: 0, pauses: false, nodeFailure: false, outcome: { result: 'SUCCESS' } };
  }
  const found = outcomes.find((outcome) => fits(outcome, attempt)) ?? usual;
  const limit = found.phase === 'post' ? null : attempt.job.timeout;
  const timedOut = limit !== null && limit > 0 && found.after > limit * 1000;
  const after = timedOut ? limit * 1000 : found.after;
  const early =
    found.earlyFailure !== undefined && found.earlyFailure < after ? { failingAfter: found.earlyFailure } : {};
  const result = timedOut && found.phase === 'run' ? 'TIMED_OUT' : resultOf(found, timedOut);
  const unreachable = result === 'RETRY' && found.phase !== 'pre';
  const another = result === 'NODE_FAILURE' && hasAnother(attempt.job, attempt.nodeset);
  return {
    after,
    ...early,
    pauses: found.result === 'PAUSE' && result === 'SUCCESS',
    nodeFailure: result === 'NODE_FAILURE',
    outcome: {
      result,
      artifacts: found.artifacts,
      ...(found.childJobs === undefined ? {} : { childJobs: found.childJobs }),
      ...(unreachable || another ? { nextAlternative: true } : {}),
    },
  };
}

function fits(outcome: Outcome, attempt: Attempt): boolean {
  const { job, change, pipeline, ahead = [], without = [] } = outcome;
  if (job !== undefined && !(job.startsWith('^') ? matchesStart(job, attempt.job.name) : job === attempt.job.name))
    return false;
  if (change !== undefined && !change.includes(attempt.change)) return false;
  if (pipeline !== undefined && pipeline !== attempt.pipeline) return false;
  if (outcome.attempt !== undefined && outcome.attempt !== attempt.attempt) return false;
  const others = attempt.state.filter((name) => name !== attempt.change);
  return ahead.every((name) => others.includes(name)) && !without.some((name) => others.includes(name));
}

/** The result that the phase of the failure, and a failure seen early, make of what is written. */
function resultOf(outcome: Outcome, timedOut: boolean): BuildOutcome['result'] {
  const written = outcome.result === 'PAUSE' ? 'SUCCESS' : outcome.result;
  const failed = timedOut || ['FAILURE', 'TIMED_OUT', 'RETRY'].includes(written);
  if (outcome.phase === 'pre' && failed) return outcome.retry ? 'RETRY' : 'FAILURE';
  if (outcome.phase === 'post' && ['FAILURE', 'TIMED_OUT'].includes(written)) return 'POST_FAILURE';
  if (written === 'RETRY' && (!outcome.retry || outcome.earlyFailure !== undefined)) return 'FAILURE';
  return written === 'SUCCESS' && outcome.earlyFailure !== undefined ? 'FAILURE' : written;
}
