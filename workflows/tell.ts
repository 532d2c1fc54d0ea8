import { getExternalWorkflowHandle, isCancellation, log, rootCause, type SignalDefinition } from '@temporalio/workflow';

/** Tells a workflow something; one that has ended has no use for it. */
export async function tell<Args extends unknown[]>(
  workflow: string,
  signal: SignalDefinition<Args>,
  ...args: Args
): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflow).signal(signal, ...args);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('a workflow does not answer', { workflow, reason: rootCause(error) });
  }
}
