import type { Client } from '@temporalio/client';
import type { PendingStep } from '../pipelines/report/release-wait.ts';

/** The steps that a workflow waits for; none where nobody can say. */
export type PendingSteps = (workflow: string) => Promise<readonly PendingStep[]>;

type Pending = NonNullable<
  Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>>['raw']['pendingActivities']
>[number];

/** Of what Temporal's own protocol calls a step that a worker has. */
const started = 2;

/** Milliseconds in which Temporal says what it knows, or is not waited for. */
const patience = 2_000;

export function createPendingSteps(client: Pick<Client, 'workflow' | 'withDeadline'>): PendingSteps {
  return async (workflow) => {
    // Temporal may be away, which is told elsewhere.
    const described = await client
      .withDeadline(Date.now() + patience, () => client.workflow.getHandle(workflow).describe())
      .catch(() => null);
    return (described?.raw.pendingActivities ?? []).map(stepOf);
  };
}

function stepOf({ activityType, attempt, lastFailure, state, scheduledTime, activityOptions }: Pending): PendingStep {
  const since = Number(scheduledTime?.seconds ?? Date.now() / 1000);
  return {
    name: activityType?.name ?? '',
    attempt: attempt ?? 1,
    fault: lastFailure?.message ?? undefined,
    begun: state === started,
    queue: activityOptions?.taskQueue?.name ?? undefined,
    waits: Date.now() / 1000 - since,
  };
}
