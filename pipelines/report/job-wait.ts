import { bounded } from '../model/words.ts';
import { workerReason } from '../nodes/reason.ts';
import type { PendingStep } from './release-wait.ts';

/** How much of a fault is told: it is one line among others. */
const longest = 300;

/** How many of the jobs that have a place are named. */
const mostNamed = 3;

/**
 * What became of a job that began and was interrupted, in one line; null of one that goes on as it began. A worker that
 * is killed says nothing: Temporal notices by its silence, and gives the job to the next one.
 */
export function jobWait(pending: readonly PendingStep[]): string | null {
  const again = pending.find(({ name, attempt }) => attempt > 1 && (name === 'runStage' || name === 'resumeStage'));
  if (again === undefined) return null;
  const { begun, fault = '' } = again;
  const why = whyInterrupted(fault);
  return begun ? `${why}, and it runs anew` : `${why}: it waits for a worker to begin anew`;
}

/** By the words of Temporal and of its library for workers. */
function whyInterrupted(fault: string): string {
  if (/\bheartbeat timeout\b/i.test(fault)) return 'its worker was lost';
  if (/\bworker is shutting down\b/i.test(fault)) return 'its worker was stopped';
  return `a fault ended it (${bounded(fault.split('\n')[0] ?? '', longest)})`;
}

/** Why a job waits; where it is for a place on a worker, with the jobs that are at work meanwhile. */
export function withTaken(reason: string, taken: readonly string[]): string {
  if (reason !== workerReason || taken.length === 0) return reason;
  const rest = taken.length - mostNamed;
  const more = rest > 0 ? ` and ${rest} more` : '';
  return `${reason}; at work are ${taken.slice(0, mostNamed).join(', ')}${more}`;
}
