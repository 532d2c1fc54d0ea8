import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { refusedFault } from '../workflows/contract.ts';

/** The closed list of fault types that activities throw; a verdict on a change is never one of them. */
type FaultType = 'EngineUnavailable' | 'Infrastructure' | 'Configuration' | typeof refusedFault;

/** After so many of them, a fault that nobody knows goes back to the job, whose own attempts count it. */
const patience = 4;

/** What makes the machines is away, and waited for: no fault of the work. */
export function isAway(error: unknown): boolean {
  return error instanceof Error && error.name === 'EngineUnavailable';
}

/**
 * Maps what a stage threw to a failure that says whether another try makes sense. An engine that is away is waited
 * for; anything unknown is tried again a few times.
 *
 * @param faults how often it was not known, this time included; attempts of workers that were killed are none
 */
export function infrastructureFault(error: unknown, faults: number): ApplicationFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (isAway(error)) {
    return fault('EngineUnavailable', message, { error, nextRetryDelay: '3s' });
  }
  return fault('Infrastructure', message, { error, nonRetryable: faults >= patience });
}

/** Whether an activity's work was cancelled because nobody wants it any more; a worker that stops cancels, too. */
export function wasCanceled({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof CancelledFailure && reason.message === 'CANCELLED';
}

/** What the log of an attempt without a verdict ends with: why it ended, and whether another attempt follows. */
export function lastWords(
  error: unknown,
  { signal, attempt, faults }: { readonly signal: AbortSignal; readonly attempt: number; readonly faults: number },
): string {
  const another = `attempt ${attempt + 1} follows as soon as a worker has a place for it`;
  if (wasCanceled(signal)) return 'Cancelled: nobody wants the result any more';
  if (signal.aborted) return `Interrupted, as the worker stops: ${another}`;
  const why = `A fault of the infrastructure: ${error instanceof Error ? error.message : String(error)}`;
  return isAway(error) || faults < patience ? `${why}; ${another}` : `${why}; it was tried ${attempt} times`;
}

/** A setting that no retry mends: the workflow gets it at once. */
export function configurationFault(message: string): ApplicationFailure {
  return fault('Configuration', message, { nonRetryable: true });
}

/** What may not be done, whoever asks: it ends what asked for it, with the sentence. */
export function refusal(message: string): ApplicationFailure {
  return fault(refusedFault, message, { nonRetryable: true });
}

interface FaultOptions {
  readonly error?: unknown;
  readonly nonRetryable?: boolean;
  readonly nextRetryDelay?: '3s';
}

function fault(type: FaultType, message: string, options: FaultOptions): ApplicationFailure {
  const { error, ...rest } = options;
  return ApplicationFailure.create({ type, message, ...rest, ...(error instanceof Error ? { cause: error } : {}) });
}
